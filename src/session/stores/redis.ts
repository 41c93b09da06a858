// Sessions in Redis or Valkey: one key per session, one script per verb, each atomic by itself.
import '../../domain/node-version.cts'

import { type RedisClient, runScript, type Script } from '../../database/redis/script.ts'
import type { Awaitable } from '../../domain/awaitable.ts'
import { readValues, type SerialisedValues, writeValues } from '../data.ts'
import { MAX_LISTED, NO_LOGIN } from '../row.ts'
import type { SessionPatch, SessionRow, SessionSeen, SessionStore, UpdateOptions } from '../store.ts'
import * as scripts from './redis-scripts.ts'

export type { RedisClient, RedisScriptOptions } from '../../database/redis/script.ts'
export { StoreUnavailableError } from '../../database/timeout.ts'

export interface RedisStoreOptions {
  /**
   * An open client of the redis package, which you made, listen to (`error`) and close: of one server, of Sentinel or of a cluster.
   * Give it `disableOfflineQueue: true`: commands that wait for a connection would come late.
   */
  readonly client: RedisClient
  /** The prefix of every key. Default: `guildhall:`. */
  readonly prefix?: string | undefined
}

/** The unchanging part of a session. JSON leaves out what is undefined. */
type ConstantFields = Pick<
  SessionRow,
  'publicId' | 'createdAt' | 'userId' | 'credentialEpoch' | 'factors' | 'authenticatedAt' | 'ip' | 'userAgent'
>

/**
 * Keeps sessions in Redis 6.2 or newer, or Valkey. What has expired is gone after a minute, by itself.
 *
 * @example
 * const client = createClient({ url: process.env.REDIS_URL, disableOfflineQueue: true })
 * client.on('error', () => {})
 * await client.connect()
 * app.use(session({ store: new RedisStore({ client }) }))
 */
export class RedisStore<Row extends SessionRow = SessionRow> implements SessionStore<Row> {
  readonly #client: RedisClient
  /** Without the client's own timer, which costs a third of a call: a read has our deadline, and is harmless if it is sent late. */
  readonly #reader: RedisClient
  readonly #prefix: string

  constructor({ client, prefix = 'guildhall:' }: RedisStoreOptions) {
    if (typeof client?.evalSha !== 'function') throw new TypeError('RedisStore: client must be a client of the redis package')
    if (!/^[\w:.-]{1,64}$/.test(prefix))
      throw new TypeError(`RedisStore: the prefix must have 1 to 64 letters, digits or any of :._-, got '${prefix}'`)
    this.#client = client
    this.#reader = client.withCommandOptions?.({ timeout: 0 }) ?? client
    this.#prefix = prefix
  }

  /** For subclasses: a row with what they read along with it. */
  protected complete(row: SessionRow): Awaitable<Row> {
    // Row is SessionRow unless a subclass overrides this.
    return row as Row
  }

  async create(row: SessionRow): Promise<void> {
    const { hash, data, revision, lastSeenAt, idleMs, expiresAt, endsAt, persistent, ...constant } = row
    // The index first: it may name a missing session, but every session must be in it.
    if (constant.userId !== undefined) await this.#addToIndex(constant.userId, row)
    const changing = { revision, lastSeenAt, idleMs, expiresAt, endsAt, persistent: Number(persistent) }
    const fields = [['row', JSON.stringify(constant)], ...Object.entries(changing), ...fieldsOf(readValues(data))]
    if ((await this.#on(hash, scripts.CREATE, [expiresAt, ...fields.flat()])) !== 1)
      throw new Error('a session with this hash exists')
  }

  async find(hash: string): Promise<Row | undefined> {
    const row = await this.#find(hash)
    return row && this.complete(row)
  }

  async update(hash: string, patch: SessionPatch, { ifRevision }: UpdateOptions = {}): Promise<boolean> {
    const written: [string, string][] = []
    const removed: string[] = []
    for (const [key, text] of Object.entries(patch)) {
      if (text === null) removed.push(fieldOf(key))
      else written.push([fieldOf(key), text])
    }
    return (await this.#on(hash, scripts.UPDATE, [ifRevision ?? '', written.length, ...written.flat(), ...removed])) === 1
  }

  async touch(hash: string, { lastSeenAt, expiresAt, limits }: SessionSeen): Promise<boolean> {
    if (limits === undefined) return (await this.#on(hash, scripts.TOUCH, [lastSeenAt, expiresAt])) === 1
    const { idleMs, endsAt, persistent } = limits
    const row = await this.#find(hash)
    // The session may end later now, and the index must not expire before it.
    if (row?.userId !== undefined) await this.#addToIndex(row.userId, { hash, endsAt })
    return (await this.#on(hash, scripts.TOUCH, [lastSeenAt, expiresAt, idleMs, endsAt, Number(persistent)])) === 1
  }

  async supersede(hash: string, until: number): Promise<boolean> {
    return (await this.#on(hash, scripts.SUPERSEDE, [until])) === 1
  }

  /** One script for each, all at once: in a cluster they are on different nodes. */
  async delete(hashes: readonly string[]): Promise<readonly string[]> {
    const rows = await Promise.all(hashes.map((hash) => this.#delete(hash)))
    return hashes.filter((hash, at) => {
      const userId = rows[at]?.userId
      if (userId !== undefined) this.#removeFromIndex(userId, [hash])
      return rows[at] !== undefined
    })
  }

  async listByUser(userId: string): Promise<readonly SessionRow[]> {
    const { hashes, old } = await this.#readIndex(userId)
    const found = await Promise.all(hashes.map((hash) => this.#find(hash)))
    this.#removeFromIndex(
      userId,
      old.filter((_, at) => found[at] === undefined),
    )
    return found
      .filter((row) => row !== undefined)
      .toReversed()
      .toSorted((a, b) => b.lastSeenAt - a.lastSeenAt || b.createdAt - a.createdAt)
      .slice(0, MAX_LISTED)
  }

  async deleteByUser(userId: string, { except }: { readonly except?: string | undefined } = {}): Promise<number> {
    const { hashes, old } = await this.#readIndex(userId)
    const ended = hashes.filter((hash) => hash !== except)
    const were = await Promise.all(ended.map((hash) => this.#delete(hash)))
    const gone = ended.filter((_, at) => were[at] !== undefined)
    this.#removeFromIndex(userId, [...gone, ...old.filter((hash) => hash !== except)])
    return gone.length
  }

  /** Redis removes expired keys by itself. */
  deleteExpired(): number {
    return 0
  }

  /** The client's owner closes it. */
  close(): void {}

  async #find(hash: string): Promise<SessionRow | undefined> {
    const reply = await runScript(this.#reader, scripts.FIND, this.#keyOf(hash))
    return Array.isArray(reply) && reply.length > 0 ? rowFrom(hash, reply.map(String)) : undefined
  }

  async #delete(hash: string): Promise<ConstantFields | undefined> {
    const text = await this.#on(hash, scripts.DELETE)
    return typeof text === 'string' ? JSON.parse(text) : undefined
  }

  async #addToIndex(userId: string, { hash, endsAt }: Pick<SessionRow, 'hash' | 'endsAt'>): Promise<void> {
    await this.#onUser(userId, scripts.ADD_TO_INDEX, [hash, endsAt])
  }

  /** The hashes of a user's index, the oldest first, and which are old: a young one may belong to a session that is being created. */
  async #readIndex(userId: string): Promise<{ readonly hashes: readonly string[]; readonly old: readonly string[] }> {
    const reply = await this.#onUser(userId, scripts.READ_INDEX)
    const [count, names]: unknown[] = Array.isArray(reply) ? reply : []
    const hashes = Array.isArray(names) ? names.map(String) : []
    return { hashes, old: hashes.slice(0, Number(count)) }
  }

  /** Not awaited: a hash without a session is removed at the next read. */
  #removeFromIndex(userId: string, hashes: readonly string[]): void {
    if (hashes.length > 0) this.#onUser(userId, scripts.REMOVE_FROM_INDEX, hashes).catch(() => {})
  }

  #on(hash: string, script: Script, values?: readonly (string | number)[]): Promise<unknown> {
    return runScript(this.#client, script, this.#keyOf(hash), values)
  }

  #keyOf(hash: string): string {
    return `${this.#prefix}session:${hash}`
  }

  #onUser(userId: string, script: Script, values?: readonly (string | number)[]): Promise<unknown> {
    return runScript(this.#client, script, `${this.#prefix}user:${userId}`, values)
  }
}

/** JSON text, as Redis returns a key of any characters unchanged in it. */
function fieldOf(key: string): string {
  return scripts.DATA + JSON.stringify(key)
}

function fieldsOf(values: SerialisedValues): [string, string][] {
  return [...values].map(([key, text]) => [fieldOf(key), text])
}

/** Makes the row from alternating names and values, in a fixed order, as Redis keeps none: the same data is always the same text. */
function rowFrom(hash: string, reply: readonly string[]): SessionRow {
  const fields = new Map<string, string>()
  for (let at = 0; at + 1 < reply.length; at += 2) fields.set(reply[at] ?? '', reply[at + 1] ?? '')
  const constant: ConstantFields = JSON.parse(fields.get('row') ?? 'null')
  const number = (name: string): number => Number(fields.get(name))
  const data = [...fields].filter(([name]) => name.startsWith(scripts.DATA)).toSorted(([a], [b]) => (a < b ? -1 : 1))
  return {
    hash,
    ...NO_LOGIN,
    ...constant,
    data: writeValues(data.map(([name, text]) => [JSON.parse(name.slice(scripts.DATA.length)), text])),
    revision: number('revision'),
    lastSeenAt: number('lastSeenAt'),
    idleMs: number('idleMs'),
    expiresAt: number('expiresAt'),
    endsAt: number('endsAt'),
    persistent: number('persistent') === 1,
  }
}
