// The sessions of a copy where the new site keeps them in Redis. They have no order there: each is looked up.

import { type RedisClient, runScript, script } from '../../database/redis/script.ts'
import { systemClock } from '../../domain/clock.ts'
import { readTexts } from '../../session/data.ts'
import type { SessionRow } from '../../session/store.ts'
import { SESSION_COLUMNS, sessionFrom, valuesOf } from '../../session/stores/columns.ts'
import { RedisStore } from '../../session/stores/redis.ts'
import type { CopiedTable, Progress } from './copied.ts'
import { keyOf, type Row, type Side, type Table } from './side.ts'

/** In the order in which a session is read from its values. Types are the target's business. */
const SESSIONS: Table = { name: 'guildhall_sessions', columns: SESSION_COLUMNS.map((name) => ({ name, type: '' })) }

/** What waits in the line of one connection has to be done within the deadline of a call. */
const AT_ONCE = 250

/** Some of the keys, and where to go on. The prefix has no letter that means something in a pattern. */
const SCAN = script(`return redis.call('SCAN', ARGV[1], 'MATCH', KEYS[1] .. '*', 'COUNT', ${AT_ONCE})`)

export class RedisSide {
  readonly #client: RedisClient
  readonly #keys: string
  readonly #store: RedisStore

  /** A client of one server: a cluster cannot be asked for its keys in one place. */
  constructor(client: RedisClient, prefix: string) {
    this.#client = client
    this.#keys = `${prefix}session:`
    this.#store = new RedisStore({ client, prefix })
  }

  async hasSessions(): Promise<boolean> {
    for await (const hashes of this.#hashes()) if (hashes.length > 0) return true
    return false
  }

  /** As the tables are copied: first what is gone or another goes, then what is missing comes, then each is compared. */
  async copySessions(source: Side, tell: (progress: Progress) => void): Promise<CopiedTable> {
    const removed = await this.#prune(source)
    const of = await source.count('guildhall_sessions')
    let added = 0
    await eachBatch(source, async (rows, seen) => {
      const found = await this.#find(rows)
      const missing = rows.filter((_, at) => found[at] === undefined)
      await Promise.all(missing.map((row) => this.#store.create(row)))
      added += missing.length
      tell({ table: 'guildhall_sessions', step: 'copy', rows: seen, of })
    })
    const counts = { source: 0, target: 0 }
    let same = true
    await eachBatch(source, async (rows, seen) => {
      const found = await this.#find(rows)
      counts.source += rows.length
      counts.target += found.filter((row) => row !== undefined).length
      same &&= rows.every((row, at) => isSameSession(row, found[at]))
      tell({ table: 'guildhall_sessions', step: 'check', rows: seen, of })
    })
    return { table: 'guildhall_sessions', same, ...counts, added, removed }
  }

  async #prune(source: Side): Promise<number> {
    let removed = 0
    for await (const hashes of this.#hashes()) {
      const wanted = new Map((await source.rowsOf(SESSIONS, hashes)).map((row) => [keyOf(row), sessionFrom(row)]))
      const found = await Promise.all(hashes.map((hash) => this.#store.find(hash)))
      const surplus = hashes.filter((hash, at) => {
        const row = wanted.get(hash)
        return row === undefined || !isSameSession(row, found[at])
      })
      await Promise.all(surplus.map((hash) => this.#store.delete(hash)))
      removed += surplus.length
    }
    return removed
  }

  #find(rows: readonly SessionRow[]): Promise<readonly (SessionRow | undefined)[]> {
    return Promise.all(rows.map(({ hash }) => this.#store.find(hash)))
  }

  /** Every session there is, some at a time; one may come twice. */
  async *#hashes(): AsyncGenerator<readonly string[]> {
    let cursor = '0'
    do {
      const reply = await runScript(this.#client, SCAN, this.#keys, [cursor])
      const [next, keys]: unknown[] = Array.isArray(reply) ? reply : []
      yield Array.isArray(keys) ? keys.map((key) => String(key).slice(this.#keys.length)) : []
      cursor = String(next)
    } while (cursor !== '0')
  }
}

/** The sessions that live: Redis keeps no others. */
async function eachBatch(source: Side, work: (rows: readonly SessionRow[], seen: number) => Promise<void>): Promise<void> {
  let seen = 0
  for await (const rows of source.batches(SESSIONS)) {
    for (let at = 0; at < rows.length; at += AT_ONCE) {
      const some = rows.slice(at, at + AT_ONCE)
      seen += some.length
      await work(alive(some), seen)
    }
  }
}

function alive(rows: readonly Row[]): readonly SessionRow[] {
  const now = systemClock.now()
  return rows.map(sessionFrom).filter(({ expiresAt }) => expiresAt > now)
}

function isSameSession(one: SessionRow, other: SessionRow | undefined): boolean {
  return other !== undefined && textOf(one) === textOf(other)
}

/** Redis keeps the data of a session key by key, in no order. */
function textOf(row: SessionRow): string {
  const data = [...readTexts(row.data)].toSorted(([a], [b]) => (a < b ? -1 : 1))
  return JSON.stringify([valuesOf({ ...row, data: '' }), data])
}
