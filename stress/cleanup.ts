// F-44: a million expired sessions are deleted in small batches while four processes serve requests.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { setTimeout as sleep } from 'node:timers/promises'
import { SqliteStore } from '../src/session/stores/sqlite.ts'
import { type Child, startChildren } from './children.ts'
import type { Batch, CleanupReport } from './cleanup-process.ts'
import { ask, cookieOf } from './http-request.ts'
import { anyOf } from './race-sites.ts'
import { atMost, counted, exactly, type Fact, type StressRun, underMs } from './result.ts'

const PROCESSES = 4
const LIVE = 10_000
const CLIENTS = 4
const PACE_MS = 20
const BATCH = 1000
const QUIET_MS = 3000
const MAX_MS = 1_200_000
const STALL_MS = 50
/** Batches of one process that are closer than this belong to one run. */
const RUN_GAP_MS = 1000

export const cleanup: StressRun = {
  id: 'F-44',
  title: 'expired sessions are deleted in small batches while requests are served',
  run: (size) => measure(size === 'full' ? 1_000_000 : 10_000),
}

async function measure(expired: number): Promise<readonly Fact[]> {
  const folder = mkdtempSync(join(tmpdir(), 'guildhall-stress-'))
  const path = join(folder, 'sessions.db')
  new SqliteStore({ path }).close()
  const database = new DatabaseSync(path, { timeout: 5000 })
  fill(database, expired)
  const children = await startChildren(PROCESSES, 'cleanup-process.ts', { path })
  try {
    const visitors = new Visitors(children)
    await sleep(QUIET_MS)
    const before = await reportsOf(children)
    const slowestBefore = visitors.slowestMs()
    const startedAt = performance.now()
    while (expiredIn(database) && performance.now() - startedAt < MAX_MS) await sleep(100)
    const tookMs = performance.now() - startedAt
    const during = await reportsOf(children)
    const slowest = visitors.slowestMs()
    await visitors.leave()
    const batches = [...before, ...during].map((report) => report.batches)
    const all = batches.flat()
    const left = Number(database.prepare('SELECT count(*) AS n FROM express_sessions').get()?.n)
    return [
      exactly('expired sessions deleted', expired, sum(all.map(({ deleted }) => deleted))),
      exactly('sessions left, those that live', LIVE + visitors.sessions, left),
      exactly('answers other than 200', 0, visitors.failures),
      atMost('most sessions in one batch', BATCH, Math.max(...all.map(({ deleted }) => deleted))),
      counted('batches', all.length),
      exactly('batches of one process in the middle of the run of another', 0, meddling(batches)),
      counted('seconds until all were gone', Math.round(tookMs / 1000)),
      underMs('longest batch', STALL_MS, Math.max(...all.map(({ ms }) => ms))),
      underMs('longest stall of an event loop during the cleanup', STALL_MS, longestStall(during)),
      counted('longest stall of an event loop before the cleanup, ms', Math.round(longestStall(before))),
      counted('slowest answer during the cleanup, ms', Math.round(slowest)),
      counted('slowest answer before the cleanup, ms', Math.round(slowestBefore)),
    ]
  } finally {
    await Promise.all(children.map((child) => child.kill()))
    database.close()
    rmSync(folder, { recursive: true, force: true })
  }
}

/** As many expired sessions as asked for, and the live ones, in no order of time. */
function fill(database: DatabaseSync, expired: number): void {
  const now = Date.now()
  const insert = database.prepare(`
    WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < :count)
    INSERT INTO express_sessions
      (hash, public_id, data, created_at, last_seen_at, idle_ms, expires_at, ends_at, persistent)
    SELECT hex(randomblob(22)), hex(randomblob(16)), '{"person":"\\"somebody\\"","views":"3"}',
      :now - 86400000, :now - 86400000, 900000, :at + abs(random() % 3600000), :at + 43200000, 0
    FROM numbers`)
  // Random keys all over the file: without room for its pages this takes minutes.
  database.exec('PRAGMA cache_size = -300000; PRAGMA synchronous = OFF; BEGIN')
  insert.run({ count: expired, now, at: now - 2 * 3_600_000 })
  insert.run({ count: LIVE, now, at: now + 12 * 3_600_000 })
  database.exec('COMMIT; PRAGMA wal_checkpoint(TRUNCATE)')
}

function expiredIn(database: DatabaseSync): boolean {
  return database.prepare('SELECT 1 FROM express_sessions WHERE expires_at <= ? LIMIT 1').get(Date.now()) !== undefined
}

function reportsOf(children: readonly Child[]): Promise<CleanupReport[]> {
  return Promise.all(children.map(async ({ base }) => JSON.parse((await ask(`${base}/report`)).text)))
}

function longestStall(reports: readonly CleanupReport[]): number {
  return Math.max(...reports.map(({ longestStallMs }) => longestStallMs))
}

/** Batches that fall between the first and the last of another process's run. */
function meddling(batches: readonly (readonly Batch[])[]): number {
  const runs = batches.map(runsOf)
  return sum(
    batches.map(
      (own, at) =>
        own.filter(({ startedAt }) => runs.some((others, other) => other !== at && others.some((run) => isIn(run, startedAt))))
          .length,
    ),
  )
}

interface Run {
  readonly from: number
  readonly to: number
}

function runsOf(batches: readonly Batch[]): readonly Run[] {
  const runs: Run[] = []
  for (const { startedAt } of batches) {
    const last = runs.at(-1)
    if (last && startedAt - last.to < RUN_GAP_MS) runs[runs.length - 1] = { from: last.from, to: startedAt }
    else runs.push({ from: startedAt, to: startedAt })
  }
  return runs
}

function isIn({ from, to }: Run, at: number): boolean {
  return from <= at && at <= to
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0)
}

/** People who come again and again, each with a session that every request writes to. */
class Visitors {
  sessions = 0
  failures = 0
  #slowestMs = 0
  #gone = false
  readonly #visits: Promise<unknown>

  constructor(children: readonly Child[]) {
    this.#visits = Promise.all(Array.from({ length: CLIENTS }, () => this.#visit(children)))
  }

  /** Since it was asked last. */
  slowestMs(): number {
    const slowest = this.#slowestMs
    this.#slowestMs = 0
    return slowest
  }

  async leave(): Promise<void> {
    this.#gone = true
    await this.#visits
  }

  async #visit(children: readonly Child[]): Promise<void> {
    let cookie: string | undefined
    while (!this.#gone) {
      const startedAt = performance.now()
      const answer = await ask(anyOf(children).base, cookie === undefined ? {} : { headers: { cookie } })
      this.#slowestMs = Math.max(this.#slowestMs, performance.now() - startedAt)
      if (answer.status !== 200) this.failures++
      if (cookie === undefined) {
        cookie = cookieOf(answer)
        this.sessions++
      }
      await sleep(PACE_MS)
    }
  }
}
