// The sites of the session races: one process in memory, four on one store, and the membership.

import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import express from 'express'
import { digest } from '../../src/domain/secret.ts'
import { buildHouse } from '../../src/membership.ts'
import { type Asking, ask, cookieOf } from './ask.ts'
import { startChildren } from './children.ts'
import { listen, slowRoute } from './race-app.ts'
import { type HouseChoice, openRaceHouse, type RaceHouse } from './race-house.ts'
import { Stops, stopsIn } from './stops.ts'

export interface RaceSite {
  readonly name: string
  /** Where its processes listen. */
  readonly bases: readonly string[]
  readonly login: string
  readonly logout: string
  /** Answers 401 where nobody is logged in. */
  readonly member: string
  readonly account: object
  /** Whether the store still has the session of a cookie; undefined where nobody can tell. */
  has(cookie: string): Promise<boolean | undefined>
  close(): Promise<void>
}

export const PROCESSES = 4
const PASSWORD = 'granite lantern ferry'
const PLAIN = { login: '/login', logout: '/logout', member: '/member', account: {} }

export async function memorySite(): Promise<RaceSite> {
  return houseSite('memory', await openRaceHouse({ middleware: 'guildhall', store: { kind: 'memory' } }))
}

/** A house of this process. */
export function houseSite(name: string, { base, store, close }: RaceHouse): RaceSite {
  const has = async (cookie: string) => (store ? (await store.find(digest(idOf(cookie)))) !== undefined : undefined)
  return { name, bases: [base], ...PLAIN, has, close }
}

/** `guildhall/session` in four processes on one SQLite file. */
export async function sqliteSite(folder: string): Promise<RaceSite> {
  const path = join(folder, 'sessions.db')
  const site = await processesSite('SQLite, four processes', { middleware: 'guildhall', store: { kind: 'sqlite', path } })
  const database = new DatabaseSync(path)
  const find = database.prepare('SELECT 1 FROM guildhall_sessions WHERE hash = ?')
  return {
    ...site,
    has: async (cookie) => find.get(digest(idOf(cookie))) !== undefined,
    async close() {
      database.close()
      await site.close()
    },
  }
}

/** Any middleware and store, in processes of their own. */
export async function processesSite(name: string, choice: HouseChoice, count = PROCESSES): Promise<RaceSite> {
  const children = await startChildren(count, 'race-process.ts', choice)
  return {
    name,
    bases: children.map(({ base }) => base),
    ...PLAIN,
    has: async () => undefined,
    close: async () => void (await Promise.all(children.map((child) => child.kill()))),
  }
}

/** The membership, as one house or as two over the same file. */
export async function membershipSite(folder: string, houses: 1 | 2): Promise<RaceSite> {
  const file = join(folder, `members-${houses}.db`)
  const opened = [await openMembership(file), ...(houses === 2 ? [await openMembership(file)] : [])]
  const [first] = opened
  const account = { username: 'somebody', password: PASSWORD }
  await ask(`${first?.base}/api/register`, { body: account })
  return {
    name: houses === 2 ? 'membership, two connections' : 'membership',
    bases: opened.map(({ base }) => base),
    login: '/api/login',
    logout: '/api/logout',
    member: '/api/profile',
    account,
    has: async (cookie) => (await first?.sessions.find(digest(idOf(cookie)))) !== undefined,
    close: async () => void (await Promise.all(opened.map(({ close }) => close()))),
  }
}

async function openMembership(file: string) {
  const stops = new Stops()
  const house = buildHouse({
    baseUrl: 'http://localhost:3000',
    database: `sqlite:${file}`,
    rateLimit: false,
    passwords: { memoryKiB: 64, passes: 1, workers: 1 },
    clock: stops.clock,
  })
  await house.membership.migrate()
  const { sessions } = house.core.db
  stopsIn(sessions, stops)
  const app = express()
  stops.install(app)
  app.use(house.membership)
  app.get('/slow/:as', house.membership.requireLogin, slowRoute(stops))
  const { base, close } = await listen(app)
  return {
    base,
    sessions,
    async close() {
      await close()
      await house.membership.close()
    },
  }
}

/** The session id in a Cookie header, signed or not. */
function idOf(cookie: string): string {
  const value = decodeURIComponent(cookie.slice(cookie.indexOf('=') + 1))
  return value.startsWith('s:') ? value.slice(2, value.lastIndexOf('.')) : value
}

/** Logs somebody in through a process chosen at random; gives the Cookie header. */
export async function logIn(site: RaceSite): Promise<string> {
  return cookieOf(await ask(`${anyOf(site.bases)}${site.login}`, { body: site.account }))
}

/** As a person who has this cookie. */
export function withCookie(cookie: string, headers: Readonly<Record<string, string>> = {}): Asking {
  return { headers: { cookie, ...headers } }
}

/** Long enough for what another process wrote to count here: one millisecond (security.md, decision 8), and a little. */
export const OTHER_PROCESS_MS = 3

export function anyOf<T>(list: readonly T[]): T {
  const one = list[Math.floor(Math.random() * list.length)]
  if (one === undefined) throw new TypeError('a list to choose from is empty')
  return one
}

/** One process for the request that ends or replaces the session, others for the rest, at random; the same where there is one only. */
export function parts(bases: readonly string[], others: number): { readonly first: string; readonly rest: readonly string[] } {
  const shuffled = bases.toSorted(() => Math.random() - 0.5)
  const first = shuffled[0] ?? ''
  const left = shuffled.length > 1 ? shuffled.slice(1) : shuffled
  return { first, rest: Array.from({ length: others }, (_, at) => left[at % left.length] ?? first) }
}

/** So many trials, several at a time where there are several processes. */
export async function repeat(site: RaceSite, trials: number, trial: (number: number) => Promise<void>): Promise<void> {
  let next = 0
  const worker = async (): Promise<void> => {
    while (next < trials) await trial(next++)
  }
  await Promise.all(Array.from({ length: site.bases.length * 2 }, worker))
}

let lastTrial = 0

/** A name that no other trial of this run has. */
export function trialName(): string {
  lastTrial++
  return `trial-${lastTrial}`
}
