// One worker as its supervisor sees it: a process that starts, serves, and ends, whichever way.
import cluster, { type Worker } from 'node:cluster'
import { setTimeout as sleep } from 'node:timers/promises'
import { type WorkerAssignment, writeWorkerAssignment } from './assignment.ts'
import type { Ready, ToSupervisor, ToWorker } from './messages.ts'

/** A worker exits by itself after ten seconds; one that hangs is killed. */
const FORCE_EXIT_TIMEOUT_MS = 15_000
/** A new version may migrate the database first. */
const START_TIMEOUT_MS = 11 * 60_000
const PING_MS = 1000
/** The numbers of a slower worker are left out. */
const MEASURE_TIMEOUT_MS = 1000
/** A worker that is silent for so long is stuck: its connections would hang. */
const PING_TIMEOUT_MS = 10_000

/** A worker ended before it served, or could not be started. It has reported why. */
export class WorkerEndedError extends Error {
  override readonly name = 'WorkerEndedError'
  readonly exitCode: number

  constructor(code: number | null, signal: string | null, cause?: unknown) {
    super(String(signal ?? code), { cause })
    this.exitCode = code || 1
  }
}

export interface WorkerEnd {
  readonly code: number | null
  readonly signal: string | null
  readonly livedMs: number
}

export class WorkerProcess {
  readonly number: number
  /** Resolves when it serves; rejects with `WorkerEndedError` if it ends before that. */
  readonly ready: Promise<Ready>
  /** Resolves when the process is gone, or could not be started. */
  readonly ended: Promise<WorkerEnd>
  readonly #worker: Worker
  readonly #startedAt = performance.now()
  readonly #measuring = new Map<string, (text: string | undefined) => void>()
  #lastMessageAt = performance.now()
  #isOver = false

  /** `onCollect`: the worker requests the numbers of all workers. */
  constructor(assignment: WorkerAssignment, onCollect: (call: string) => void) {
    this.number = assignment.number
    this.#worker = cluster.fork(writeWorkerAssignment(assignment))
    const ready = Promise.withResolvers<Ready>()
    const ended = Promise.withResolvers<WorkerEnd>()
    this.ready = ready.promise
    this.ended = ended.promise
    // Callers that need it await it; otherwise a rejection is fine.
    this.ready.catch(() => {})
    const late = setTimeout(() => this.kill('SIGKILL'), START_TIMEOUT_MS)
    let pings: NodeJS.Timeout | undefined
    const end = (code: number | null, signal: string | null, cause?: unknown): void => {
      this.#isOver = true
      clearTimeout(late)
      clearInterval(pings)
      ready.reject(new WorkerEndedError(code, signal, cause))
      for (const resolve of this.#measuring.values()) resolve(undefined)
      ended.resolve({ code, signal, livedMs: performance.now() - this.#startedAt })
    }
    this.#worker.on('message', (message: ToSupervisor) => {
      this.#lastMessageAt = performance.now()
      if (message.verb === 'measured') this.#measuring.get(message.call)?.(message.text)
      if (message.verb === 'collect') onCollect(message.call)
      if (message.verb !== 'ready') return
      clearTimeout(late)
      pings = setInterval(() => this.#ping(), PING_MS)
      ready.resolve(message)
    })
    this.#worker.on('error', (error) => {
      // A process that could not be started has no exit event; for any other error the exit follows.
      if (this.#worker.process.pid === undefined) end(null, null, error)
    })
    this.#worker.once('exit', end)
  }

  send(message: ToWorker): void {
    if (this.#worker.isConnected()) this.#worker.send(message)
  }

  /** Its numbers in the Prometheus text format; undefined if it is gone or late. */
  async measure(call: string): Promise<string | undefined> {
    const { promise, resolve } = Promise.withResolvers<string | undefined>()
    this.#measuring.set(call, resolve)
    this.send({ verb: 'measure', call })
    try {
      return await Promise.race([promise, sleep(MEASURE_TIMEOUT_MS, undefined, { ref: false })])
    } finally {
      this.#measuring.delete(call)
    }
  }

  kill(signal: NodeJS.Signals): void {
    this.#worker.process.kill(signal)
  }

  /** Asks it to end, and waits until it is gone; kills it if it takes too long. */
  async leave({ replaced }: { readonly replaced: boolean }): Promise<WorkerEnd> {
    if (this.#isOver) return this.ended
    const late = setTimeout(() => this.kill('SIGKILL'), FORCE_EXIT_TIMEOUT_MS)
    this.send({ verb: 'stop', replaced })
    try {
      return await this.ended
    } finally {
      clearTimeout(late)
    }
  }

  #ping(): void {
    if (performance.now() - this.#lastMessageAt > PING_TIMEOUT_MS) return this.kill('SIGKILL')
    this.send({ verb: 'ping' })
  }
}
