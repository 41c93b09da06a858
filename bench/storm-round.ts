// One round of the storm: who is in it, first without it, then in it.
import { type Door, MEMBERS, memberName, networkOf } from './members.ts'
import { type Measured, register, registerAndLogIn } from './processes.ts'
import type { StormReport } from './storm-client.ts'
import { sendClients } from './storm-clients.ts'

export const LOGINS = 32
export const READERS = 4
const READS_PER_SECOND = 200

export const API_LOGIN: Door = { path: '/api/login', by: 'username' }

/** Behind a proxy, as far as the server knows: each client comes from a network of its own, and the throttle lets all of them in. */
export const OWN_SETTINGS = { TRUST_PROXY: '1' } as const

/** Who is in the storm, ourselves included. */
export interface InStorm {
  readonly name: string
  readonly door: Door
  /** One, or several that share their members. */
  readonly servers: readonly Measured[]
  /** Cookie headers of those who are logged in already. */
  readonly readers: readonly string[]
}

export interface StormRound {
  readonly idle: StormReport
  readonly storm: StormReport
}

export function basesOf({ servers }: Pick<InStorm, 'servers'>): string[] {
  return servers.map(({ base }) => base)
}

/** Everybody who will log in has an account; the readers are logged in. */
export async function openOwn(name: string, servers: readonly Measured[]): Promise<InStorm> {
  const base = servers[0]?.base ?? ''
  const names = Array.from({ length: MEMBERS }, (_, index) => index)
  while (names.length > 0) {
    await Promise.all(names.splice(0, 16).map((index) => register(base, memberName(index), networkOf(index))))
  }
  const readers: string[] = []
  for (let reader = 0; reader < READERS; reader++) {
    const username = `reader-${reader}`
    readers.push(await registerAndLogIn(base, { username, network: networkOf(MEMBERS + reader) }))
  }
  return { name, door: API_LOGIN, servers, readers }
}

/** First without the storm, then in it. */
export async function roundOf(who: InStorm, seconds: number): Promise<StormRound> {
  const { door, readers } = who
  const idle = await sendClients({ bases: basesOf(who), door, seconds, readers, readsPerSecond: READS_PER_SECOND })
  const storm = await stormOn(who, seconds)
  const failures = idle.failures + storm.failures
  if (failures > 0) throw new Error(`${who.name}: ${failures} requests of the storm failed`)
  return { idle, storm }
}

export function stormOn(who: InStorm, seconds: number): Promise<StormReport> {
  const { door, readers } = who
  return sendClients({ bases: basesOf(who), door, seconds, readers, readsPerSecond: READS_PER_SECOND, logins: LOGINS })
}
