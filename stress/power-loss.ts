// F-06: the power fails at random moments: what was answered as done is on the disk, and the file is whole.
import { closeSync, openSync, readFileSync, readSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { digest } from '../src/domain/secret.ts'
import { Disk, tracedIn } from './disk.ts'
import { type Answer, ask, cookieOf } from './http-request.ts'
import { atLeast, atMost, exactly, type Fact, type StressRun } from './result.ts'
import { serve } from './serve.ts'
import { fileOf, type StorageTarget, withTarget } from './storage-targets.ts'

const CLIENTS = 4
const PASSWORD = 'granite lantern ferry'
const NEW_PASSWORD = 'harbour violet kettle'

export const powerLoss: StressRun = {
  id: 'F-06',
  title: 'a power cut at any moment leaves a whole file that has all that was answered',
  needs: ['strace'],
  run: (size) => withTarget('SQLite', (target) => measure(target, size === 'full' ? 500 : 10)),
}

/** What somebody was answered to have done. */
interface Act {
  /** The length of the trace then. */
  readonly at: number
  readonly syncs: number
  /** Gives 1 where it is kept. */
  readonly sql: string
  readonly value: string
}

async function measure(target: StorageTarget, cuts: number): Promise<readonly Fact[]> {
  const file = fileOf(target)
  // The schema is made once, and no act of a person.
  await (await serve({ target })).kill('SIGTERM')
  const before = readFileSync(file)
  const path = join(target.folder, 'trace')
  const server = await serve({ target, settings: { RATE_LIMIT: 'off' }, under: strace(path) })
  const acts: Act[] = []
  let otherSyncs: number
  const alone = Math.ceil(cuts / 20)
  try {
    // One after the other, so that each sync is that of one act.
    for (let n = 0; n < alone; n++) await live(`alone-${n}`, { base: server.base, path, acts })
    otherSyncs = await syncsOfOthers(server.base, path)
    const together = Array.from({ length: CLIENTS }, async (_, client) => {
      for (let n = client; n < cuts / 5; n += CLIENTS) await live(`person-${n}`, { base: server.base, path, acts })
    })
    await Promise.all(together)
  } finally {
    await server.kill()
  }
  const trace = readFileSync(path)
  const seen = cutPower({ target, before, trace, acts, cuts })
  const single = acts.slice(0, alone * ACTS)
  return [
    exactly('acts, one after the other', alone * ACTS, single.length),
    exactly('of these, answered before a sync', 0, single.filter(({ syncs }) => syncs === 0).length),
    atMost('syncs of 20 reads and 20 logins, all of checkpoints', 4, otherSyncs),
    atLeast('acts in all, four at a time too', cuts / 2, acts.length),
    exactly('power cuts', cuts, seen.cuts),
    exactly('files that are not whole afterwards', 0, seen.corrupt),
    atLeast('answered acts that were looked for', cuts, seen.looked),
    exactly('answered acts that are lost', 0, seen.lost),
    atLeast('of these cuts, in the middle of writes that were not synced yet', 1, seen.unsynced),
  ]
}

/** As the trace of its writes says: what it writes, and when it waits for the disk. */
function strace(path: string): readonly string[] {
  const calls = 'trace=pwrite64,ftruncate,fsync,fdatasync'
  return ['strace', '-D', '--seccomp-bpf', '-f', '-qq', '-y', '-xx', '-s', '70000', '-e', 'signal=none', '-e', calls, '-o', path]
}

interface Living {
  readonly base: string
  readonly path: string
  readonly acts: Act[]
}

/** How many acts a person does. */
const ACTS = 3

/** Registers, changes the password, and logs out. */
async function live(username: string, { base, path, acts }: Living): Promise<void> {
  let cookie = ''
  const post = async (to: string, body: object, keptAs: (answer: Answer) => Pick<Act, 'sql' | 'value'>) => {
    const from = statSync(path).size
    const answer = await ask(`${base}/api${to}`, { body, headers: { cookie } })
    if (answer.status !== 201 && answer.status !== 204) throw new Error(`${to} was answered ${answer.status}`)
    const at = statSync(path).size
    acts.push({ at, syncs: countSyncs(path, from, at), ...keptAs(answer) })
    if (answer.setCookies.length > 0) cookie = cookieOf(answer)
  }
  await post('/register', { username, password: PASSWORD }, () => ({ sql: REGISTERED, value: username }))
  const change = { currentPassword: PASSWORD, newPassword: NEW_PASSWORD }
  await post('/account/password', change, () => ({ sql: CHANGED, value: username }))
  const hash = digest(cookie.slice(cookie.indexOf('=') + 1))
  await post('/logout', {}, () => ({ sql: LOGGED_OUT, value: hash }))
}

const REGISTERED = `SELECT count(*) AS kept FROM guildhall_users JOIN guildhall_credentials ON user_id = guildhall_users.id
  WHERE username_key = ?`
const CHANGED = `SELECT count(*) AS kept FROM guildhall_audit JOIN guildhall_users ON user_id = guildhall_users.id
  WHERE event = 'password_changed' AND username_key = ? AND credential_epoch > 0`
const LOGGED_OUT = 'SELECT count(*) = 0 AS kept FROM guildhall_sessions WHERE hash = ?'

/** No request waits for the disk because somebody logs in: a login that a power cut loses is done again. */
async function syncsOfOthers(base: string, path: string): Promise<number> {
  const reader = cookieOf(await ask(`${base}/api/register`, { body: { username: 'reader', password: PASSWORD } }))
  const from = statSync(path).size
  for (let n = 0; n < 20; n++) {
    await ask(`${base}/api/profile`, { headers: { cookie: reader } })
    const login = await ask(`${base}/api/login`, { body: { username: 'reader', password: PASSWORD } })
    if (login.status !== 200) throw new Error(`a login was answered ${login.status}`)
  }
  return countSyncs(path, from, statSync(path).size)
}

function countSyncs(path: string, from: number, to: number): number {
  const part = Buffer.alloc(to - from)
  const trace = openSync(path, 'r')
  readSync(trace, part, 0, part.length, from)
  closeSync(trace)
  return [...tracedIn(part)].filter(({ kind, file }) => kind === 'sync' && file.endsWith('-wal')).length
}

interface Cutting {
  readonly target: StorageTarget
  readonly before: Uint8Array
  readonly trace: Buffer
  readonly acts: readonly Act[]
  readonly cuts: number
}

interface Seen {
  cuts: number
  unsynced: number
  corrupt: number
  looked: number
  lost: number
}

/** Goes through the trace once, and at random places of it looks at what a power cut would leave. */
function cutPower({ target, before, trace, acts, cuts }: Cutting): Seen {
  const file = fileOf(target)
  const copy = join(target.folder, 'after-the-cut.db')
  const disk = new Disk({ [file]: before })
  const places = Array.from({ length: cuts }, () => Math.random() * trace.length).toSorted((a, b) => b - a)
  const seen: Seen = { cuts: 0, unsynced: 0, corrupt: 0, looked: 0, lost: 0 }
  const cutBefore = (end: number) => {
    for (let place = places.at(-1); place !== undefined && place < end; place = places.at(-1)) {
      places.pop()
      seen.cuts++
      if (disk.isUnsynced) seen.unsynced++
      for (const suffix of ['', '-wal']) writeFileSync(copy + suffix, disk.afterPowerCut(file + suffix))
      look(
        copy,
        acts.filter(({ at }) => at <= Number(place)),
        seen,
      )
      for (const suffix of ['', '-wal', '-shm']) rmSync(copy + suffix, { force: true })
    }
  }
  for (const traced of tracedIn(trace)) {
    cutBefore(traced.end)
    // The index of the log is made anew after a crash.
    if (traced.file !== file && traced.file !== `${file}-wal`) continue
    if (traced.kind === 'sync') disk.sync(traced.file)
    else disk.change(traced.file, traced.change)
  }
  cutBefore(trace.length)
  return seen
}

function look(copy: string, answered: readonly Act[], seen: Seen): void {
  const database = new DatabaseSync(copy)
  try {
    const lines = database.prepare('PRAGMA integrity_check').all()
    if (lines.some((line) => line.integrity_check !== 'ok')) seen.corrupt++
    for (const { sql, value } of answered) {
      seen.looked++
      if (database.prepare(sql).get(value)?.kept !== 1) seen.lost++
    }
  } catch {
    seen.corrupt++
  } finally {
    database.close()
  }
}
