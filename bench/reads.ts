// Reads: every contestant in turn, round after round, so that a noisy minute falls on all of them.
import { load } from './generator.ts'
import { logInSimply, type Measured, registerAndLogIn, startApp, startServer } from './processes.ts'
import { median } from './stats.ts'

export interface ReadRow {
  readonly name: string
  /** Medians over the rounds. */
  readonly cpuMicros: number
  readonly perSecond: number
  readonly p99Ms: number
  /** The median of what the rounds' own ratios to bare Express were. */
  readonly timesBare: number
  /** At most so many times bare Express. */
  readonly goal?: number
}

export interface ReadOptions {
  readonly rounds: number
  readonly seconds: number
  readonly warmUpSeconds: number
}

interface Contestant {
  readonly name: string
  /** Contestants of one host share its process. */
  readonly host: string
  readonly path: string
  readonly as: 'member' | 'anonymous'
  readonly headers?: Readonly<Record<string, string>>
  readonly goal?: number
}

const BARE = 'bare Express'
const SERVER = 'whole server'
const HTML = { Accept: 'text/html' }

const contestants: readonly Contestant[] = [
  { name: BARE, host: BARE, path: '/profile', as: 'anonymous' },
  { name: 'express-session 1.19, MemoryStore', host: 'express-session, MemoryStore', path: '/profile', as: 'member' },
  {
    name: '`guildhall/session`, memory store, signed',
    host: 'guildhall/session, memory, signed',
    path: '/profile',
    as: 'member',
    goal: 1.25,
  },
  { name: '`guildhall/session`, SQLite store', host: 'guildhall/session, SQLite', path: '/profile', as: 'member', goal: 1.25 },
  {
    name: '`guildhall/session`, SQLite, anonymous',
    host: 'guildhall/session, SQLite',
    path: '/bare',
    as: 'anonymous',
    goal: 1.05,
  },
  { name: 'library, anonymous', host: 'guildhall as a library', path: '/bare', as: 'anonymous', goal: 1.05 },
  { name: 'library, own route behind `requireLogin`', host: 'guildhall as a library', path: '/diary', as: 'member' },
  { name: 'whole server, `GET /api/profile`', host: SERVER, path: '/api/profile', as: 'member', goal: 1.6 },
  { name: 'whole server, `GET /profile` as HTML', host: SERVER, path: '/profile', as: 'member', headers: HTML, goal: 2.5 },
]

interface Round {
  readonly cpuMicros: number
  readonly perSecond: number
  readonly p99Ms: number
}

export async function measureReads({ rounds, seconds, warmUpSeconds }: ReadOptions): Promise<ReadRow[]> {
  const hosts = new Map<string, { server: Measured; cookie: string | undefined }>()
  for (const { host } of contestants) if (!hosts.has(host)) hosts.set(host, await open(host))
  const results = new Map<string, Round[]>(contestants.map(({ name }) => [name, []]))
  try {
    for (let round = -1; round < rounds; round++) {
      // Not always in the same order: who comes after whom must not matter.
      const turn = Math.max(round, 0) % contestants.length
      for (const contestant of [...contestants.slice(turn), ...contestants.slice(0, turn)]) {
        const { server, cookie } = hosts.get(contestant.host) ?? missing(contestant.host)
        const measured = await measure(server, cookie, contestant, round < 0 ? warmUpSeconds : seconds)
        if (round >= 0) results.get(contestant.name)?.push(measured)
      }
    }
  } finally {
    for (const { server } of hosts.values()) await server.stop()
  }
  const bare = results.get(BARE) ?? []
  return contestants.map(({ name, goal }) => {
    const own = results.get(name) ?? []
    return {
      name,
      cpuMicros: median(own.map(({ cpuMicros }) => cpuMicros)),
      perSecond: median(own.map(({ perSecond }) => perSecond)),
      p99Ms: median(own.map(({ p99Ms }) => p99Ms)),
      timesBare: median(own.map(({ cpuMicros }, at) => cpuMicros / (bare[at]?.cpuMicros ?? Number.NaN))),
      ...(goal !== undefined && { goal }),
    }
  })
}

async function measure(server: Measured, cookie: string | undefined, who: Contestant, seconds: number): Promise<Round> {
  const headers = { ...who.headers, ...(who.as === 'member' && { Cookie: cookie ?? missing('cookie') }) }
  const before = await server.ask()
  const served = await load({ url: server.base + who.path, headers, seconds })
  const after = await server.ask()
  if (served.failures > 0) throw new Error(`${who.name}: ${served.failures} requests failed`)
  return { ...served, cpuMicros: (after.cpuMicros - before.cpuMicros) / served.requests }
}

async function open(host: string): Promise<{ server: Measured; cookie: string | undefined }> {
  const server = host === SERVER ? await startServer() : await startApp(host)
  if (host === BARE) return { server, cookie: undefined }
  const isMembership = host === SERVER || host === 'guildhall as a library'
  return { server, cookie: await (isMembership ? registerAndLogIn(server.base) : logInSimply(server.base)) }
}

function missing(name: string): never {
  throw new Error(`${name} is missing`)
}
