// What one core carries: requests, logins and logouts of the whole server, and what each of them asks of PostgreSQL and Redis.
import { type Cost, costOf, costOfLoad, medianCost } from './cost.ts'
import type { External, Need } from './external.ts'
import { CONNECTIONS } from './generator.ts'
import { linesFile, type Measured, serverSettings } from './processes.ts'
import { median } from './stats.ts'
import { sendClients } from './storm-clients.ts'
import { openOwn } from './storm-contestants.ts'
import { API_LOGIN, logIn, logOut } from './visitors.ts'

/** CPU microseconds of the server's process and of the stores for one of each. A core has a million in a second. */
export interface CapacityRow {
  readonly name: string
  /** An authenticated `GET /api/profile`, sixteen connections. */
  readonly request: Cost
  /** Hashing included: 19 MiB, two passes. */
  readonly login: Cost
  readonly logout: Cost
  /** What PostgreSQL writes ahead for one login, full pages after a checkpoint included. */
  readonly walBytesPerLogin?: number
}

const PLACES: readonly { readonly name: string; readonly needs: readonly Need[] }[] = [
  { name: 'SQLite', needs: [] },
  { name: 'PostgreSQL', needs: ['PostgreSQL'] },
  { name: 'PostgreSQL and Redis', needs: ['PostgreSQL', 'Redis'] },
]
const ROUNDS = 3
const SECONDS = 3
/** As many as hash at once on a few cores: no queue, no storm. */
const LOGINS = 8
const LOGOUTS = 128

export async function measureCapacity(external: External): Promise<readonly CapacityRow[]> {
  const rows: CapacityRow[] = []
  for (const { name, needs } of PLACES.filter((place) => place.needs.every((need) => !external.missing.has(need)))) {
    const { server } = await openOwn(await serverSettings(needs, external))
    try {
      rows.push({ name, ...(await measurePlace(server, needs, external)) })
    } finally {
      await server.stop()
    }
  }
  return rows
}

async function measurePlace(server: Measured, needs: readonly Need[], external: External): Promise<Omit<CapacityRow, 'name'>> {
  const wal: number[] = []
  const costs: { request: Cost; login: Cost; logout: Cost }[] = []
  for (let round = -1; round < ROUNDS; round++) {
    const members = Array.from({ length: LOGOUTS }, (_, index) => index)
    const cookies = await inTurns(members, (index) => logIn(server.base, API_LOGIN, index))
    const profile = {
      url: `${server.base}/api/profile`,
      headers: { Cookie: cookies[0] ?? '' },
      cookies: linesFile(cookies.slice(0, CONNECTIONS)),
    }
    const request = await costOfLoad(server, external, needs, { ...profile, seconds: SECONDS })
    const walBefore = await walBytes(external)
    const login = await costOf(server, external, needs, () => logins(server))
    const walAfter = await walBytes(external)
    const logout = await costOf(server, external, needs, () => logouts(server, cookies))
    if (round < 0) continue
    costs.push({ request, login, logout })
    wal.push((walAfter - walBefore) / login.result)
  }
  return {
    request: medianCost(costs.map(({ request }) => request)),
    login: medianCost(costs.map(({ login }) => login)),
    logout: medianCost(costs.map(({ logout }) => logout)),
    ...(needs.includes('PostgreSQL') && { walBytesPerLogin: median(wal) }),
  }
}

async function logins({ base }: Measured) {
  const { logins, failures } = await sendClients({ base, door: API_LOGIN, seconds: SECONDS, logins: LOGINS })
  if (failures > 0) throw new Error(`${failures} logins failed`)
  // Those that are answered after the end were worked for too.
  return { count: logins + LOGINS, result: logins + LOGINS }
}

async function logouts({ base }: Measured, cookies: readonly string[]) {
  await inTurns(cookies, (cookie) => logOut(base, cookie))
  return { count: cookies.length, result: undefined }
}

/** So many at a time as log in at once. */
async function inTurns<T, U>(all: readonly T[], act: (each: T) => Promise<U>): Promise<U[]> {
  const done: U[] = []
  for (let at = 0; at < all.length; at += LOGINS) done.push(...(await Promise.all(all.slice(at, at + LOGINS).map(act))))
  return done
}

async function walBytes({ postgres }: External): Promise<number> {
  const found = await postgres?.query("SELECT pg_current_wal_lsn() - '0/0'::pg_lsn AS bytes")
  return Number(found?.rows[0]?.bytes ?? 0)
}
