// A connection to Redis that is made when it is needed first, found dead, and made anew.
import { setTimeout as wait } from 'node:timers/promises'
import { jitter } from '../jitter.ts'
import { DEADLINE_MS, StoreUnavailableError, withTimeout } from '../timeout.ts'
import type { RedisClient, RedisScriptOptions } from './script.ts'

/** How long the start waits for the first connection; later calls fail at once if there is none. */
const FIRST_WAIT_MS = 2000
/** How often Redis is probed: a connection that was cut silently looks alive. */
const PROBE_MS = 1000
/** After so many probes without a connection it is opened anew: a handshake without an answer never ends. */
const MAX_SILENT_PROBES = 2
const MIN_PAUSE_MS = 25
const MAX_PAUSE_MS = 500

/** A client of the redis package. Since version 5 it is closed by `close` and `destroy`; version 4 has the other two. */
interface Connection extends RedisClient {
  readonly isReady: boolean
  ping(): Promise<unknown>
  close?(): Promise<unknown>
  destroy?(): void
  quit?(): Promise<unknown>
  disconnect?(): Promise<unknown>
}

/** Opens what a URL names. Loads the redis package at first use: it is an optional peer dependency. */
export class RedisConnection implements RedisClient {
  readonly #url: string
  #opening: Promise<void> | undefined
  #connection: Connection | undefined
  #probing: NodeJS.Timeout | undefined
  #silentProbes = 0
  /** The last known reason why there is no connection. */
  #failure: unknown
  #closed = false

  constructor(url: string) {
    this.#url = url
  }

  async evalSha(sha1: string, options: RedisScriptOptions): Promise<unknown> {
    return (await this.#ready()).evalSha(sha1, options)
  }

  async eval(script: string, options: RedisScriptOptions): Promise<unknown> {
    return (await this.#ready()).eval(script, options)
  }

  /** Starts to connect, and waits a while for it. Throws if the redis package is missing, but not if the server does not answer yet. */
  open(): Promise<void> {
    if (this.#closed) return Promise.reject(new StoreUnavailableError('the connection to Redis is closed'))
    this.#opening ??= this.#connect()
    return this.#opening
  }

  async close(): Promise<void> {
    this.#closed = true
    await this.#opening?.catch(() => {})
    clearInterval(this.#probing)
    const connection = this.#connection
    if (!connection) return
    const closing = connection.isReady ? closeGently(connection) : Promise.reject(new Error('not connected'))
    await withTimeout('Redis', closing).catch(() => destroy(connection))
  }

  async #ready(): Promise<Connection> {
    await this.open()
    if (!this.#connection?.isReady) throw new StoreUnavailableError('Redis cannot be reached', this.#failure)
    return this.#connection
  }

  async #connect(): Promise<void> {
    const { connected } = await this.#begin()
    this.#probing = setInterval(() => void this.#probe(), PROBE_MS).unref()
    await Promise.race([connected, wait(FIRST_WAIT_MS, undefined, { ref: false })])
  }

  async #begin(): Promise<{ readonly connected: Promise<void> }> {
    const { createClient } = await import('redis').catch((error: unknown) => {
      const missing = new Error('Redis needs the package redis beside guildhall: npm install redis', { cause: error })
      throw Object.assign(missing, { code: 'redis_missing' })
    })
    const connection = createClient({
      url: this.#url,
      // What cannot be sent now fails now: the request is answered, and nothing is sent later.
      disableOfflineQueue: true,
      // The client's own timer costs a third of a command, and every call has a deadline already.
      commandOptions: { timeout: 0 },
      socket: { connectTimeout: DEADLINE_MS, reconnectStrategy: pauseMs },
    })
    // Every call reports its own failure; without a listener, an error between the calls would end the process.
    connection.on('error', (error: unknown) => {
      this.#failure = error
    })
    connection.on('ready', () => {
      this.#failure = undefined
    })
    this.#connection = connection
    const connected = connection.connect().then(
      () => {},
      () => {},
    )
    return { connected }
  }

  async #probe(): Promise<void> {
    const probed = this.#connection
    if (!probed) return
    const answers = await withTimeout('Redis', probed.ping()).then(
      () => true,
      (error: unknown) => error,
    )
    if (this.#closed || probed !== this.#connection) return
    this.#silentProbes = answers === true ? 0 : this.#silentProbes + 1
    const isSilent = answers instanceof StoreUnavailableError || this.#silentProbes > MAX_SILENT_PROBES
    if (!isSilent) return
    this.#silentProbes = 0
    destroy(probed)
    await this.#begin()
  }
}

function pauseMs(tries: number): number {
  return Math.min(MIN_PAUSE_MS * 2 ** tries, MAX_PAUSE_MS) * (0.75 + jitter() / 4)
}

async function closeGently(connection: Connection): Promise<void> {
  await (connection.close ? connection.close() : connection.quit?.())
}

function destroy(connection: Connection): void {
  try {
    if (connection.destroy) connection.destroy()
    else connection.disconnect?.().catch(() => {})
  } catch {
    // It was closed already.
  }
}
