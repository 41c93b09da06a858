// A thousand members against a million: the same requests, look-ups, sweeps and starts on a small and on a large database.
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { deleteAllExpired } from '../src/database/cleanup.ts'
import { systemClock } from '../src/domain/clock.ts'
import { digest, newToken } from '../src/domain/secret.ts'
import { openSqlite } from '../src/storage/sqlite/database.ts'
import { findForLogin } from '../src/storage/users.ts'
import { hasWrk, load } from './generator.ts'
import { type Measured, newFolder, startServer } from './processes.ts'
import { median, percentile } from './stats.ts'

export interface GrowthOptions {
  readonly rounds: number
  readonly seconds: number
  /** Rows of the large database. */
  readonly many: number
}

export interface GrowthResult {
  readonly few: number
  readonly many: number
  /** CPU microseconds per authenticated request, and how that compares with the small database. Missing without wrk. */
  readonly requests?: {
    readonly small: number
    /** A thousand visitors out of many: what they need is at hand. */
    readonly largeFewVisitors: number
    readonly largeFewVisitorsRatio: number
    /** Twenty thousand visitors in turn: each read goes to the file. */
    readonly largeManyVisitors: number
    readonly largeManyVisitorsRatio: number
  }
  readonly loginLookUp: { readonly smallMicros: number; readonly largeMicros: number; readonly ratio: number }
  /** One batch of the cleanup of expired sessions: for so long nobody else is served. */
  readonly sweep: { readonly expired: number; readonly batches: number; readonly p50Ms: number; readonly longestMs: number }
  readonly start: { readonly smallMs: number; readonly largeMs: number }
}

const FEW = 1000
const VISITORS = 20_000
const LOOK_UPS = 20_000
const DAY_MS = 86_400_000

export async function measureGrowth({ rounds, seconds, many }: GrowthOptions): Promise<GrowthResult> {
  const small = await fill(FEW)
  const large = await fill(many)
  const requests = hasWrk ? { requests: await measureRequests(small, large, rounds, seconds) } : {}
  return {
    few: FEW,
    many,
    ...requests,
    loginLookUp: await measureLookUps(small, large, rounds),
    start: { smallMs: await measureStart(small.file), largeMs: await measureStart(large.file) },
    sweep: await measureSweep(large.file, Math.floor(many / 50)),
  }
}

interface Filled {
  readonly file: string
  readonly rows: number
  /** Files of Cookie headers: of everybody who will come, and of a thousand of them. */
  readonly everybody: string
  readonly some: string
}

/** Users and sessions straight into the tables; only those who will come have an id that somebody knows. */
async function fill(rows: number): Promise<Filled> {
  const folder = newFolder()
  const file = join(folder, 'members.db')
  const database = openSqlite(file)
  await database.migrate()
  await database.close()

  const sql = new DatabaseSync(file)
  const now = Date.now()
  const ids = Array.from({ length: Math.min(rows, VISITORS) }, () => newToken())
  sql.exec('PRAGMA synchronous = OFF; PRAGMA cache_size = -262144; BEGIN')
  sql.exec(`
    WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ${rows})
    INSERT INTO guildhall_users (id, username, username_key, display_name, status, credential_epoch, roles, created_at)
    SELECT printf('%08x-0000-4000-8000-000000000000', i), 'Member-' || i, 'member-' || i, 'Member ' || i, 'active', 1, '[]', ${now} FROM n;
    INSERT INTO guildhall_credentials (id, user_id, kind, data, created_at, changed_at)
    SELECT 'c' || id, id, 'password', '$argon2id$v=19$m=19456,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA$' || hex(randomblob(21)), ${now}, ${now} FROM guildhall_users;`)
  // Seen in the future: no touch falls into the measurement.
  const columns =
    'hash, public_id, data, created_at, last_seen_at, idle_ms, expires_at, ends_at, persistent, user_id, credential_epoch, factors, authenticated_at, ip, user_agent'
  const rest = `'{}', ${now}, ${now + 3_600_000}, 900000, ${now + DAY_MS}, ${now + DAY_MS}, 0, id, 1, 'password', ${now}, '127.0.0.1', 'benchmark'`
  sql.exec(
    `INSERT INTO guildhall_sessions (${columns}) SELECT substr(hex(randomblob(32)), 1, 43), hex(randomblob(16)), ${rest} FROM guildhall_users LIMIT ${rows - ids.length}`,
  )
  const known = sql.prepare(
    `INSERT INTO guildhall_sessions (${columns}) SELECT ?, hex(randomblob(16)), ${rest} FROM guildhall_users WHERE username_key = ?`,
  )
  for (const [at, id] of ids.entries()) known.run(digest(id), `member-${Math.floor((at * rows) / ids.length) + 1}`)
  sql.exec('COMMIT; ANALYZE; PRAGMA wal_checkpoint(TRUNCATE)')
  sql.close()

  const cookies = ids.map((id) => `guildhall=${id}; guildhall-seen=1`)
  const everybody = join(folder, 'everybody')
  const some = join(folder, 'some')
  writeFileSync(everybody, cookies.join('\n'))
  writeFileSync(some, cookies.slice(0, FEW).join('\n'))
  return { file, rows, everybody, some }
}

async function measureRequests(small: Filled, large: Filled, rounds: number, seconds: number) {
  const ofSmall = await startServer({ database: small.file })
  const ofLarge = await startServer({ database: large.file })
  try {
    const results: { small: number; some: number; everybody: number }[] = []
    for (let round = -1; round < rounds; round++) {
      const result = {
        small: await cpuPerRequest(ofSmall, small.some, seconds),
        some: await cpuPerRequest(ofLarge, large.some, seconds),
        everybody: await cpuPerRequest(ofLarge, large.everybody, seconds),
      }
      if (round >= 0) results.push(result)
    }
    return {
      small: median(results.map(({ small }) => small)),
      largeFewVisitors: median(results.map(({ some }) => some)),
      largeFewVisitorsRatio: median(results.map(({ some, small }) => some / small)),
      largeManyVisitors: median(results.map(({ everybody }) => everybody)),
      largeManyVisitorsRatio: median(results.map(({ everybody, small }) => everybody / small)),
    }
  } finally {
    await ofSmall.stop()
    await ofLarge.stop()
  }
}

async function cpuPerRequest(server: Measured, cookies: string, seconds: number): Promise<number> {
  const before = await server.ask()
  const served = await load({ url: `${server.base}/api/profile`, seconds, cookies })
  const after = await server.ask()
  if (served.failures > 0) throw new Error(`${served.failures} requests with known cookies failed`)
  return (after.cpuMicros - before.cpuMicros) / served.requests
}

/** What a login asks the database, for members from all over the table. */
async function measureLookUps(small: Filled, large: Filled, rounds: number): Promise<GrowthResult['loginLookUp']> {
  const times: { small: number; large: number }[] = []
  for (let round = -1; round < rounds; round++) {
    const result = { small: await lookUpMicros(small), large: await lookUpMicros(large) }
    if (round >= 0) times.push(result)
  }
  return {
    smallMicros: median(times.map(({ small }) => small)),
    largeMicros: median(times.map(({ large }) => large)),
    ratio: median(times.map(({ small, large }) => large / small)),
  }
}

async function lookUpMicros({ file, rows }: Filled): Promise<number> {
  const database = openSqlite(file)
  const before = process.cpuUsage()
  for (let count = 0; count < LOOK_UPS; count++) {
    const found = await database.first(findForLogin, { usernameKey: `member-${((count * 7919) % rows) + 1}` })
    if (found === undefined) throw new Error('a member was not found')
  }
  const { user, system } = process.cpuUsage(before)
  await database.close()
  return (user + system) / LOOK_UPS
}

async function measureStart(database: string): Promise<number> {
  const times: number[] = []
  for (let count = 0; count < 3; count++) {
    const server = await startServer({ database })
    times.push(server.startMs)
    await server.stop()
  }
  return median(times)
}

async function measureSweep(file: string, expired: number): Promise<GrowthResult['sweep']> {
  const sql = new DatabaseSync(file)
  sql.exec(`UPDATE guildhall_sessions SET expires_at = 1 WHERE rowid IN (SELECT rowid FROM guildhall_sessions LIMIT ${expired})`)
  sql.close()
  const database = openSqlite(file)
  const times: number[] = []
  const deleteExpired = async (now: number, limit: number) => {
    const startedAt = performance.now()
    const swept = await database.sessions.deleteExpired(now, limit)
    times.push(performance.now() - startedAt)
    return swept
  }
  await deleteAllExpired({ deleteExpired }, systemClock, () => true)
  await database.close()
  return { expired, batches: times.length, p50Ms: percentile(times, 0.5), longestMs: Math.max(...times) }
}
