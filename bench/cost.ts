// What requests cost: CPU time of the server's process, and of the stores behind it.
import type { External, Need, StoreCpu } from './external.ts'
import { type Load, load, type Served } from './generator.ts'
import type { Measured } from './processes.ts'
import { median } from './stats.ts'

/** CPU microseconds for each thing that was done. */
export interface Cost {
  readonly cpuMicros: number
  readonly stores: StoreCpu
}

/** Does something, and says what each of as many as it counted has cost. */
export async function costOf<T>(
  server: { usage(): Promise<{ readonly cpuMicros: number }> },
  external: Pick<External, 'cpu'>,
  needs: readonly Need[],
  work: () => Promise<{ readonly count: number; readonly result: T }>,
): Promise<Cost & { readonly result: T }> {
  const storesBefore = needs.length > 0 ? await external.cpu(needs) : {}
  const before = await server.usage()
  const { count, result } = await work()
  const after = await server.usage()
  const storesAfter = needs.length > 0 ? await external.cpu(needs) : {}
  return {
    cpuMicros: (after.cpuMicros - before.cpuMicros) / count,
    stores: eachStore((need) => difference(storesBefore[need], storesAfter[need], count)),
    result,
  }
}

/** The same for a load of requests, none of which may fail. */
export function costOfLoad(
  server: Measured,
  external: Pick<External, 'cpu'>,
  needs: readonly Need[],
  what: Load,
): Promise<Cost & { readonly result: Served }> {
  return costOf(server, external, needs, async () => {
    const served = await load(what)
    if (served.failures > 0) throw new Error(`${what.url}: ${served.failures} requests failed`)
    return { count: served.requests, result: served }
  })
}

export function medianCost(costs: readonly Cost[]): Cost {
  const known = (need: Need) => costs.map(({ stores }) => stores[need]).filter((micros) => micros !== undefined)
  return {
    cpuMicros: median(costs.map(({ cpuMicros }) => cpuMicros)),
    stores: eachStore((need) => (known(need).length > 0 ? median(known(need)) : undefined)),
  }
}

/** All processes together. */
export function wholeOf({ cpuMicros, stores }: Cost): number {
  return cpuMicros + (stores.PostgreSQL ?? 0) + (stores.Redis ?? 0)
}

function difference(before: number | undefined, after: number | undefined, count: number): number | undefined {
  return before === undefined || after === undefined ? undefined : (after - before) / count
}

function eachStore(micros: (need: Need) => number | undefined): StoreCpu {
  const [postgres, redis] = [micros('PostgreSQL'), micros('Redis')]
  return { ...(postgres !== undefined && { PostgreSQL: postgres }), ...(redis !== undefined && { Redis: redis }) }
}
