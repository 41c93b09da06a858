// Others in the same storm: express-session with three password libraries, and better-auth.
import type { Door } from './members.ts'
import { logIn, startApp } from './processes.ts'
import { median } from './stats.ts'
import { type Latency, latencyOf } from './storm-clients.ts'
import { API_LOGIN, type InStorm, type StormRound } from './storm-round.ts'

export interface RivalRow {
  readonly name: string
  readonly loginsPerSecond: number
  readonly idle: Latency
  readonly storm: Latency
}

const rivals: readonly { readonly name: string; readonly app: string; readonly door: Door }[] = [
  { name: 'express-session + bcrypt 6 (native, cost 10)', app: 'storm: bcrypt', door: API_LOGIN },
  { name: 'express-session + @node-rs/argon2 (19 MiB, t=2)', app: 'storm: @node-rs/argon2', door: API_LOGIN },
  { name: 'express-session + bcryptjs 3 (cost 10)', app: 'storm: bcryptjs', door: API_LOGIN },
  { name: 'better-auth 1.7 (scrypt)', app: 'storm: better-auth', door: { path: '/api/auth/sign-in/email', by: 'email' } },
]

export async function openRivals(readers: number): Promise<InStorm[]> {
  const opened: InStorm[] = []
  for (const { name, app, door } of rivals) {
    const server = await startApp(app)
    const cookies: string[] = []
    for (let reader = 0; reader < readers; reader++) cookies.push(await logIn(server.base, door, reader))
    opened.push({ name, door, servers: [server], readers: cookies })
  }
  return opened
}

export function rivalRow(name: string, rounds: readonly StormRound[]): RivalRow {
  const each = (what: (round: StormRound) => number) => median(rounds.map(what))
  return {
    name,
    loginsPerSecond: each(({ storm }) => storm.loginsPerSecond),
    idle: { p50Ms: each(({ idle }) => latencyOf(idle).p50Ms), p99Ms: each(({ idle }) => latencyOf(idle).p99Ms) },
    storm: { p50Ms: each(({ storm }) => latencyOf(storm).p50Ms), p99Ms: each(({ storm }) => latencyOf(storm).p99Ms) },
  }
}
