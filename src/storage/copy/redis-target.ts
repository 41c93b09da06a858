// Redis as the target for the sessions of a copy.
import { type RedisClient, runScript, script } from '../../database/redis/script.ts'
import { systemClock } from '../../domain/clock.ts'
import { readValues } from '../../session/data.ts'
import type { SessionRow } from '../../session/store.ts'
import { SESSION_COLUMNS, sessionFrom, valuesOf } from '../../session/stores/columns.ts'
import { RedisStore } from '../../session/stores/redis.ts'
import { type CopiedTable, type CopyDatabase, REDIS_SESSIONS } from './copy-database.ts'

/** Returns some keys and the next cursor. The prefix has no characters with a meaning in a pattern. */
const SCAN = script(`return redis.call('SCAN', ARGV[1], 'MATCH', KEYS[1] .. '*', 'COUNT', 1000)`)

export class RedisTarget {
  readonly #client: RedisClient
  readonly #keys: string
  readonly #store: RedisStore

  /** A client of one server: a cluster cannot list its keys in one place. */
  constructor(client: RedisClient, prefix: string) {
    this.#client = client
    this.#keys = `${prefix}session:`
    this.#store = new RedisStore({ client, prefix })
  }

  async hasSessions(): Promise<boolean> {
    let cursor = '0'
    do {
      const reply = await runScript(this.#client, SCAN, this.#keys, [cursor])
      const [next, keys]: unknown[] = Array.isArray(reply) ? reply : []
      if (Array.isArray(keys) && keys.length > 0) return true
      cursor = String(next)
    } while (cursor !== '0')
    return false
  }

  /** Inserts what is missing and compares every live session: Redis keeps no others. */
  async copySessions(source: CopyDatabase, onRows: (rows: number) => void): Promise<CopiedTable> {
    const counts = { source: 0, target: 0 }
    let same = true
    for await (const batch of source.sorted('guildhall_sessions', '')) {
      const now = systemClock.now()
      const sessions = batch.map((row) => sessionFrom(SESSION_COLUMNS.map((column) => row[column])))
      const rows = sessions.filter(({ expiresAt }) => expiresAt > now)
      const before = await this.#find(rows)
      await Promise.all(rows.filter((_, n) => before[n] === undefined).map((row) => this.#store.create(row)))
      const found = await this.#find(rows)
      counts.source += rows.length
      counts.target += found.filter((row) => row !== undefined).length
      same &&= rows.every((row, n) => textOf(row) === textOf(found[n]))
      onRows(counts.source)
    }
    return { table: REDIS_SESSIONS, ...counts, same }
  }

  #find(rows: readonly SessionRow[]): Promise<readonly (SessionRow | undefined)[]> {
    return Promise.all(rows.map(({ hash }) => this.#store.find(hash)))
  }
}

/** Redis keeps a session's data by key, in no order. */
function textOf(row: SessionRow | undefined): string {
  if (row === undefined) return ''
  const data = [...readValues(row.data)].toSorted(([a], [b]) => (a < b ? -1 : 1))
  return JSON.stringify([valuesOf({ ...row, data: '' }), data])
}
