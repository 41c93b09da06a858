// F-50: random histories of accounts over several processes, with kills and a failing store, against a sequential model.
import { DatabaseSync } from 'node:sqlite'
import { setTimeout as sleep } from 'node:timers/promises'
import { TcpProxy } from '../test/support/tcp-proxy.ts'
import { type Child, startChild, startChildren } from './children.ts'
import { type Answer, type Asking, ask } from './http-request.ts'
import { OTHER_PROCESS_MS } from './race-sites.ts'
import { atLeast, counted, exactly, type Fact, type StressRun } from './result.ts'
import { isExplained, type Operation, STEPS, type Step } from './sequential-model.ts'
import { fileOf, onEveryTarget, type StorageTarget } from './storage-targets.ts'

const PROCESSES = 3
const HISTORIES_AT_ONCE = 6
const CLIENTS = 3
const OPERATIONS = 4
const PASSWORDS = ['granite lantern ferry', 'harbour violet kettle', 'marble otter window']
const FAULT_EVERY_MS = 150
/** Of so many faults one is a kill: a process takes long to come back. */
const KILL_EVERY = 10
const LOCK_MS = 120

export const histories: StressRun = {
  id: 'F-50',
  title: 'whatever is done to accounts at once, under kills and a failing store, some order of it explains every answer',
  run: (size) => onEveryTarget((target) => measure(target, size === 'full' ? 3400 : 34)),
}

interface Tally {
  operations: number
  /** Without an answer, or with 503. */
  unsure: number
  others: number
  kills: number
  faults: number
  violations: number
}

/** `SEED=123 npm run stress -- F-50` makes the same choices again; the moments at which they meet are never the same. */
async function measure(target: StorageTarget, count: number): Promise<readonly Fact[]> {
  const seed = Number(process.env.SEED ?? Math.floor(Math.random() * 1e9))
  const tally: Tally = { operations: 0, unsure: 0, others: 0, kills: 0, faults: 0, violations: 0 }
  const site = await openSite(target)
  let next = 0
  let isOver = false
  try {
    const faults = breakOnAndOn(site, { tally, isOver: () => isOver })
    const workers = Array.from({ length: HISTORIES_AT_ONCE }, async () => {
      while (next < count || tally.kills === 0 || tally.faults === 0)
        await oneHistory(site, seed + next, `person-${next++}`, tally)
    })
    await Promise.all(workers)
    isOver = true
    await faults
  } finally {
    isOver = true
    await site.close()
  }
  return [
    atLeast(`histories of ${CLIENTS} clients at once`, count, next),
    atLeast('operations', count * CLIENTS * OPERATIONS, tally.operations),
    counted('of these, without an answer that says what became of them', tally.unsure),
    exactly('answers that nobody expects', 0, tally.others),
    atLeast('times a process was killed', 1, tally.kills),
    atLeast('times the store failed or was locked', 1, tally.faults),
    exactly('histories that no order of their steps explains', 0, tally.violations),
  ]
}

interface Site {
  readonly living: Child[]
  /** Another process in the place of one. */
  replace(child: Child): Promise<void>
  /** Makes the store fail for a moment. */
  fail(): Promise<void>
  close(): Promise<void>
}

async function openSite(target: StorageTarget): Promise<Site> {
  const isFile = target.database.startsWith('sqlite:')
  const proxy = isFile ? undefined : await TcpProxy.before(target.database)
  const database = proxy?.urlOf(target.database) ?? target.database
  const choice = { middleware: 'membership', target: { database, redis: target.redis } }
  const start = () => startChild('race-process.ts', choice, { compiled: target.folder })
  const living = [...(await startChildren(PROCESSES, 'race-process.ts', choice, { compiled: target.folder }))]
  return {
    living,
    async replace(child) {
      living.splice(living.indexOf(child), 1)
      await child.kill()
      living.push(await start())
    },
    fail: async () => (proxy ? proxy.cut() : lock(fileOf(target))),
    async close() {
      await Promise.all(living.map((child) => child.kill()))
      await proxy?.close()
    },
  }
}

/** As a backup or an operator does who writes at the same time. */
async function lock(file: string): Promise<void> {
  const database = new DatabaseSync(file, { timeout: 5000 })
  database.exec('BEGIN IMMEDIATE')
  await sleep(LOCK_MS)
  database.close()
}

async function breakOnAndOn(site: Site, { tally, isOver }: { readonly tally: Tally; isOver(): boolean }): Promise<void> {
  for (let number = 1; !isOver(); number++) {
    await sleep(FAULT_EVERY_MS * (0.5 + Math.random()))
    const [victim] = site.living
    if (number % KILL_EVERY === 1 && victim !== undefined) {
      tally.kills++
      await site.replace(victim)
    } else {
      tally.faults++
      await site.fail()
    }
  }
}

/** One account, a few clients at once, then a look at what became of it. */
async function oneHistory(site: Site, seed: number, username: string, tally: Tally): Promise<void> {
  const random = randomFrom(seed)
  const account = new Account(site, username, tally)
  const plans = Array.from({ length: CLIENTS }, () => Array.from({ length: OPERATIONS }, () => [random(), random(), random()]))
  await Promise.all(
    plans.map(async (plan) => {
      for (const [what = 0, which = 0, other = 0] of plan) await account.doAny(what, which, other)
    }),
  )
  await account.look()
  tally.operations += account.history.length
  if (isExplained(account.history)) return
  tally.violations++
  const lines = account.history.map(({ text, startedAt, endedAt }) => `${startedAt.toFixed(1)} to ${endedAt.toFixed(1)}: ${text}`)
  console.error(`nothing explains the history of seed ${seed}:\n${lines.join('\n')}`)
}

/** Steps by the answer; undefined: it says nothing of what became of the operation. */
type Explain = (answer: Answer, session: string) => readonly Step[] | undefined

class Account {
  readonly history: Operation[] = []
  readonly #site: Site
  readonly #username: string
  readonly #tally: Tally
  /** The cookies that came, by the operation that began each session. */
  readonly #cookies = new Map<string, string>()
  #count = 0

  constructor(site: Site, username: string, tally: Tally) {
    this.#site = site
    this.#username = username
    this.#tally = tally
  }

  /** By three numbers from 0 to 1. Whoever has no session registers or logs in. */
  doAny(what: number, which: number, other: number): Promise<void> {
    const [password = '', next = ''] = [anyOf(PASSWORDS, which), anyOf(PASSWORDS, other)]
    const session = anyOf([...this.#cookies.keys()], which)
    if (session === undefined) return what < 0.7 ? this.#register(password) : this.#logIn(password)
    if (what < 0.05) return this.#register(password)
    if (what < 0.35) return this.#logIn(next)
    if (what < 0.55) return this.#read(session)
    if (what < 0.65) return this.#logOut(session)
    if (what < 0.75) return this.#endOthers(session)
    const old = PASSWORDS.find((one) => one !== next) ?? ''
    return this.#change(session, what < 0.9 ? old : (PASSWORDS.findLast((one) => one !== next) ?? ''), next)
  }

  /** Nobody else is there any more: who is logged in, and with which password one can be. */
  async look(): Promise<void> {
    await sleep(OTHER_PROCESS_MS)
    for (const session of this.#cookies.keys()) await this.#read(session)
    for (const password of PASSWORDS) await this.#logIn(password)
  }

  #register(password: string): Promise<void> {
    const body = { username: this.#username, password }
    return this.#do(`register with ${password}`, '/register', { body }, STEPS.registered(password, ''), ({ status }, session) => {
      if (status === 201) return STEPS.registered(password, session)
      if (status === 401) return STEPS.tooLate(password)
      return status === 409 ? STEPS.taken() : undefined
    })
  }

  #logIn(password: string): Promise<void> {
    const body = { username: this.#username, password }
    return this.#do(`log in with ${password}`, '/login', { body }, [], ({ status }, session) => {
      if (status === 200) return STEPS.loggedIn(password, session)
      return status === 401 ? STEPS.wrongPassword(password) : undefined
    })
  }

  #read(session: string): Promise<void> {
    return this.#do(`read by ${session}`, '/profile', this.#as(session), [], ({ status }) => {
      if (status === 200) return STEPS.member(session)
      return status === 401 ? STEPS.stranger(session) : undefined
    })
  }

  #logOut(session: string): Promise<void> {
    const steps = STEPS.loggedOut(session)
    return this.#do(`log out ${session}`, '/logout', this.#as(session, {}), steps, ({ status }) =>
      status === 204 ? steps : undefined,
    )
  }

  #endOthers(session: string): Promise<void> {
    const steps = STEPS.othersEnded(session)
    return this.#do(`end others by ${session}`, '/account/sessions/end-others', this.#as(session, {}), steps, ({ status }) => {
      if (status === 204) return steps
      return status === 401 ? STEPS.stranger(session) : undefined
    })
  }

  #change(session: string, old: string, password: string): Promise<void> {
    const asking = this.#as(session, { currentPassword: old, newPassword: password })
    const unsure = STEPS.changed(old, password, session, undefined)
    return this.#do(`change ${old} to ${password} by ${session}`, '/account/password', asking, unsure, (answer, name) => {
      if (answer.status === 204) return STEPS.changed(old, password, session, cookieIn(answer) === undefined ? undefined : name)
      if (answer.status !== 401) return undefined
      return answer.text.includes('invalid_credentials') ? STEPS.notChanged(old, session) : STEPS.stranger(session)
    })
  }

  #as(session: string, body?: object): Asking {
    return { headers: { cookie: this.#cookies.get(session) ?? '' }, ...(body && { body }) }
  }

  async #do(text: string, path: string, asking: Asking, unsure: readonly Step[], explain: Explain): Promise<void> {
    const name = `s${++this.#count}`
    const { base = '' } = anyOf(this.#site.living, Math.random()) ?? {}
    const startedAt = performance.now()
    const answer = await ask(`${base}/api${path}`, asking).catch(() => undefined)
    const steps = answer && explain(answer, name)
    if (answer && steps === undefined && answer.status !== 503) this.#note(`${text}: ${answer.status} ${answer.text}`)
    if (steps === undefined) this.#tally.unsure++
    const cookie = answer && steps ? cookieIn(answer) : undefined
    if (cookie !== undefined) this.#cookies.set(name, cookie)
    // Another process on a SQLite file notices a write within a millisecond.
    const endedAt = steps === undefined ? Number.POSITIVE_INFINITY : performance.now() + OTHER_PROCESS_MS
    const outcome = `${text}, as ${name}: ${answer?.status ?? 'no answer'}`
    this.history.push({ text: outcome, startedAt, endedAt, steps: steps ?? unsure })
  }

  #note(what: string): void {
    this.#tally.others++
    console.error(`nobody expects this: ${what}`)
  }
}

/** The Cookie header for the session that an answer begins; undefined if it begins none. */
function cookieIn({ setCookies }: Answer): string | undefined {
  return setCookies.map((line) => line.split(';')[0] ?? '').find((pair) => /^guildhall=./.test(pair))
}

function anyOf<T>(list: readonly T[], number: number): T | undefined {
  return list[Math.floor(number * list.length)]
}

/** Numbers from 0 to 1 that depend on the seed alone (mulberry32). */
function randomFrom(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
}
