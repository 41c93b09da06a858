// The storm where several processes share their members: PostgreSQL alone, and PostgreSQL with Redis, each with one process and with two.
import type { External, Need } from './external.ts'
import { type Measured, serverSettings, startServer } from './processes.ts'
import { type RivalRow, rivalRow } from './storm-rivals.ts'
import { type InStorm, OWN_SETTINGS, openOwn, roundOf, type StormRound, stormOn } from './storm-round.ts'

export interface SharedStormOptions {
  readonly rounds: number
  readonly seconds: number
  readonly external: External
}

const STORES: readonly { readonly name: string; readonly needs: readonly Need[] }[] = [
  { name: 'PostgreSQL', needs: ['PostgreSQL'] },
  { name: 'PostgreSQL and Redis', needs: ['PostgreSQL', 'Redis'] },
]

const PROCESSES: readonly {
  readonly name: string
  readonly ports: number
  readonly settings?: Readonly<Record<string, string>>
}[] = [
  { name: 'one process', ports: 1 },
  { name: 'two processes, two ports', ports: 2 },
  { name: '`serve --workers 2`, one port', ports: 1, settings: { WORKERS: '2' } },
]

export async function measureSharedStorm({ rounds, seconds, external }: SharedStormOptions): Promise<readonly RivalRow[]> {
  const rows: RivalRow[] = []
  for (const { name, needs } of STORES.filter((each) => each.needs.every((need) => !external.missing.has(need)))) {
    const opened: InStorm[] = []
    try {
      for (const processes of PROCESSES) {
        const servers = await openServers(processes, needs, external)
        opened.push(await openOwn(`${name}, ${processes.name}`, servers))
      }
      for (const each of opened) await stormOn(each, 1)
      const results = new Map<string, StormRound[]>(opened.map((each) => [each.name, []]))
      for (let round = 0; round < rounds; round++) {
        for (const each of opened) results.get(each.name)?.push(await roundOf(each, seconds))
      }
      rows.push(...[...results].map(([name, of]) => rivalRow(name, of)))
    } finally {
      for (const { servers } of opened) for (const server of servers) await server.stop()
    }
  }
  return rows
}

/** They share a schema of PostgreSQL, and with it their members. */
async function openServers(
  { ports, settings }: (typeof PROCESSES)[number],
  needs: readonly Need[],
  external: External,
): Promise<readonly Measured[]> {
  const stores = await serverSettings(needs, external)
  const servers: Measured[] = []
  for (let port = 0; port < ports; port++) {
    servers.push(await startServer({ settings: { ...OWN_SETTINGS, ...stores, ...settings } }))
  }
  return servers
}
