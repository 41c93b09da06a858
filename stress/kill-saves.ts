// F-03: servers are killed while they save sessions: each session is as before the save or as after it.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { setTimeout as sleep } from 'node:timers/promises'
import { digest } from '../src/domain/secret.ts'
import { readValues } from '../src/session/data.ts'
import { type Child, startChild, startChildren } from './children.ts'
import { ask, cookieOf } from './http-request.ts'
import { anyOf } from './race-sites.ts'
import { atLeast, counted, exactly, type Fact, type StressRun } from './result.ts'
import { FILLER, KEYS } from './save-process.ts'

const PROCESSES = 6
const CLIENTS = 12
const MOST_ANSWERS = 20
const LONGEST_SAVE_MS = 5

export const killedSaves: StressRun = {
  id: 'F-03',
  title: 'kill -9 during session saves leaves every session as it was before or after one, never a mixture',
  run: (size) => measure(size === 'full' ? 1000 : 10),
}

interface Tally {
  kills: number
  /** Saves that were on their way when their server was killed, and how they turned out. */
  cut: number
  stayedOld: number
  becameNew: number
  corrupt: number
  answered: number
  otherAnswers: number
}

async function measure(kills: number): Promise<readonly Fact[]> {
  const folder = mkdtempSync(join(tmpdir(), 'guildhall-stress-'))
  const path = join(folder, 'sessions.db')
  const seen: Tally = { kills: 0, cut: 0, stayedOld: 0, becameNew: 0, corrupt: 0, answered: 0, otherAnswers: 0 }
  const living = new Set(await startChildren(PROCESSES, 'save-process.ts', { path }, { compiled: folder }))
  const database = new DatabaseSync(path)
  const read = (hash: string) => stateOf(database, hash)
  let over = false
  try {
    const clients = Array.from({ length: CLIENTS }, () => saveAgainAndAgain({ living, read, seen, isOver: () => over }))
    const killers = Array.from({ length: PROCESSES }, async () => {
      while (seen.kills < kills) await killOne(living, { folder, path, seen })
    })
    await Promise.all(killers)
    over = true
    const hashes = await Promise.all(clients)
    const unreadable = hashes.filter((hash) => read(hash) === undefined).length
    const faults = database
      .prepare('PRAGMA integrity_check')
      .all()
      .filter((line) => line.integrity_check !== 'ok')
    return [
      atLeast('kills', kills, seen.kills),
      atLeast('saves that a kill cut off', kills / 5, seen.cut),
      counted('of these, sessions as before the save', seen.stayedOld),
      counted('of these, sessions as after the save', seen.becameNew),
      exactly('sessions that were a mixture, unreadable or another state', 0, seen.corrupt),
      atLeast('saves that were answered', kills, seen.answered),
      exactly('answers other than 200', 0, seen.otherAnswers),
      exactly('sessions that cannot be read at the end', 0, unreadable),
      exactly('faults that SQLite finds in the file', 0, faults.length),
    ]
  } finally {
    over = true
    await Promise.all([...living].map((child) => child.kill()))
    database.close()
    rmSync(folder, { recursive: true, force: true })
  }
}

/** Kills one at random, some saves and a random moment later, and puts a new one in its place. */
async function killOne(
  living: Set<Child>,
  { folder, path, seen }: { readonly folder: string; readonly path: string; readonly seen: Tally },
): Promise<void> {
  const enough = seen.answered + 1 + Math.random() * MOST_ANSWERS
  // Not in time alone: a busy machine would have saved nothing yet.
  while (seen.answered < enough || living.size === 0) await sleep(1)
  await sleep(Math.random() * LONGEST_SAVE_MS)
  const victim = anyOf([...living])
  living.delete(victim)
  await victim.kill()
  seen.kills++
  living.add(await startChild('save-process.ts', { path }, { compiled: folder }))
}

interface Saving {
  readonly living: ReadonlySet<Child>
  read(hash: string): number | undefined
  readonly seen: Tally
  isOver(): boolean
}

/** Saves number after number in one session, now at this server, now at that one; gives the session's hash. */
async function saveAgainAndAgain({ living, read, seen, isOver }: Saving): Promise<string> {
  let cookie: string | undefined
  let last = 0
  while (!isOver() || cookie === undefined) {
    const at = [...living][Math.floor(Math.random() * living.size)]
    if (at === undefined) {
      await sleep(1)
      continue
    }
    const next = last + 1
    const answer = await ask(`${at.base}/${next}`, cookie === undefined ? {} : { headers: { cookie } }).catch(() => undefined)
    if (answer !== undefined && answer.status !== 200) seen.otherAnswers++
    if (answer?.status === 200) {
      seen.answered++
      cookie ??= cookieOf(answer)
      last = next
      if (read(hashOf(cookie)) !== last) seen.corrupt++
    } else if (cookie !== undefined) {
      await at.kill() // It is killed already: until nothing of it is left.
      const found = read(hashOf(cookie))
      seen.cut++
      if (found === last) seen.stayedOld++
      else if (found === next) seen.becameNew++
      else seen.corrupt++
      last = found ?? next
    }
  }
  return hashOf(cookie)
}

function hashOf(cookie: string): string {
  return digest(cookie.slice(cookie.indexOf('=') + 1))
}

/** The number that all keys of a session have; undefined if it cannot be read, or they are not of one save. */
function stateOf(database: DatabaseSync, hash: string): number | undefined {
  const row = database.prepare('SELECT data FROM express_sessions WHERE hash = ?').get(hash)
  if (row === undefined) return undefined
  try {
    const texts = readValues(String(row.data))
    const values: { n: number; filler: string }[] = KEYS.map((key) => JSON.parse(texts.get(key) ?? ''))
    const numbers = new Set(values.map(({ n }) => n))
    const isWhole = texts.size === KEYS.length && values.every(({ filler }) => filler === FILLER)
    return isWhole && numbers.size === 1 ? values[0]?.n : undefined
  } catch {
    return undefined
  }
}
