// The messages between supervisor and workers. Verbs are added, not changed.

/** The two may be of different versions while a site is renewed. */
export type ToWorker =
  /** `replaced`: another worker has taken the place. */
  | { readonly verb: 'stop'; readonly replaced: boolean }
  /** Asks whether the worker is alive. */
  | { readonly verb: 'ping' }
  /** Asks for the numbers of this worker. */
  | { readonly verb: 'measure'; readonly call: string }
  /** The numbers of all workers, each in the Prometheus text format. */
  | { readonly verb: 'collected'; readonly call: string; readonly texts: readonly string[] }

export type ToSupervisor =
  /** The site is open. */
  | { readonly verb: 'ready'; readonly url: string; readonly port: number }
  | { readonly verb: 'pong' }
  /** Asks for the numbers of all workers. */
  | { readonly verb: 'collect'; readonly call: string }
  | { readonly verb: 'measured'; readonly call: string; readonly text: string }

export type Ready = Extract<ToSupervisor, { verb: 'ready' }>
