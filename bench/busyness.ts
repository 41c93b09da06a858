// How busy the rest of the machine is, and with what: figures taken beside other work are not recorded.
import { readFileSync } from 'node:fs'
import { availableParallelism, loadavg } from 'node:os'
import { setTimeout as sleep } from 'node:timers/promises'
import { commandOf, type ProcessTimes, processTimes, TICKS_PER_SECOND } from './proc.ts'

/** Above any of these a machine is busy. */
const MOST = {
  /** Load average of the last minute for each core, before the benchmark makes a load of its own. */
  loadPerCore: 0.5,
  /** Cores that all processes but the benchmark's use together. */
  others: 0.1,
  /** Cores in use beyond all processes that can be seen. The kernel's two accounts differ by some hundredths of a core. */
  unseen: 0.3,
  /** Share of the time that the hypervisor gave to other guests. */
  steal: 0.03,
} as const

const LOOK_MS = 3000
const NAMED = 5
/** The parent of its threads. */
const KERNEL = 2
const STORES = /^(?:postgres|redis-server|valkey-server)$/

interface Snapshot {
  readonly atMs: number
  /** Ticks of the whole machine. */
  readonly all: number
  readonly busy: number
  readonly stolen: number
  readonly processes: ReadonlyMap<number, ProcessTimes>
}

/** Looks at the machine for some seconds while nothing is measured. Says what is busy, a sentence each; nothing where it is quiet. */
export async function whatIsBusy(): Promise<readonly string[]> {
  const load = loadavg()[0] ?? 0
  const most = MOST.loadPerCore * availableParallelism()
  const others = watchOthers({ storesAreOurs: false })
  await sleep(LOOK_MS)
  return [
    ...(load > most ? [`the load average of the last minute is ${load.toFixed(1)} (at most ${most.toFixed(1)})`] : []),
    ...others(),
  ]
}

/** Gives a function that says what was busy beside the benchmark since now. PostgreSQL and Redis are the benchmark's own while it uses them. */
export function watchOthers({ storesAreOurs }: { readonly storesAreOurs: boolean }): () => readonly string[] {
  const before = snapshot()
  return () => {
    const after = snapshot()
    if (before === undefined || after === undefined) return ['what else runs cannot be seen: there is no /proc here']
    return compare(before, after, storesAreOurs)
  }
}

function compare(before: Snapshot, after: Snapshot, storesAreOurs: boolean): readonly string[] {
  const cores = (ticks: number) => (ticks / TICKS_PER_SECOND / (after.atMs - before.atMs)) * 1000
  const seen = cores(sum(after) - sum(before))
  const own = cores(sum(after, ownIn(after, storesAreOurs)) - sum(before, ownIn(before, storesAreOurs)))
  const others = seen - own
  const unseen = cores(after.busy - before.busy) - seen
  const steal = (after.stolen - before.stolen) / (after.all - before.all)
  const found: string[] = []
  if (others > MOST.others) {
    const names = busiest(before, after, storesAreOurs, cores)
    found.push(`other processes use ${others.toFixed(2)} of a core (at most ${MOST.others}): ${names}`)
  }
  if (unseen > MOST.unseen)
    found.push(`what cannot be seen here, as in other containers, uses ${unseen.toFixed(2)} of a core (at most ${MOST.unseen})`)
  if (steal > MOST.steal)
    found.push(`the hypervisor gave ${percent(steal)} of the time to other guests (steal, at most ${percent(MOST.steal)})`)
  return found
}

/** A process is named with what its children took that have ended since. */
function busiest(before: Snapshot, after: Snapshot, storesAreOurs: boolean, cores: (ticks: number) => number): string {
  const isOwn = ownIn(after, storesAreOurs)
  const usedBefore = new Map<number, number>()
  for (const [pid, times] of before.processes) {
    const counted = after.processes.has(pid) ? pid : times.parent
    usedBefore.set(counted, (usedBefore.get(counted) ?? 0) + ticksOf(times))
  }
  const named = [...after.processes]
    .filter(([pid]) => !isOwn(pid))
    .map(([pid, times]) => ({ pid, used: cores(ticksOf(times) - (usedBefore.get(pid) ?? 0)) }))
    .filter(({ used }) => used >= 0.01)
    .toSorted((a, b) => b.used - a.used)
    .slice(0, NAMED)
    .map(({ pid, used }) => `${commandOf(pid)} (pid ${pid}) ${used.toFixed(2)}`)
  return named.join(', ') || 'short-lived ones'
}

/** This process and all that it started, the stores where they work for it, and the kernel's threads, which work for everybody. */
function ownIn({ processes }: Snapshot, storesAreOurs: boolean): (pid: number) => boolean {
  const isOwn = (pid: number): boolean => {
    const found = processes.get(pid)
    if (found === undefined) return false
    if (pid === process.pid || pid === KERNEL || (storesAreOurs && STORES.test(found.name))) return true
    return isOwn(found.parent)
  }
  return isOwn
}

function sum({ processes }: Snapshot, counts: (pid: number) => boolean = () => true): number {
  return [...processes].reduce((ticks, [pid, times]) => (counts(pid) ? ticks + ticksOf(times) : ticks), 0)
}

/** With those of its children that have ended: an end moves them to the parent, and the sum stays. */
function ticksOf({ own, ofEnded }: ProcessTimes): number {
  return own + ofEnded
}

function snapshot(): Snapshot | undefined {
  const processes = processTimes()
  if (processes.size === 0) return undefined
  // user, nice, system, idle, iowait, irq, softirq, steal: proc_stat(5).
  const ticks = /^cpu +(.*)$/m.exec(readFileSync('/proc/stat', 'utf8'))?.[1]?.split(' ').slice(0, 8).map(Number) ?? []
  const [user = 0, nice = 0, system = 0, , , irq = 0, softirq = 0, stolen = 0] = ticks
  return {
    atMs: performance.now(),
    all: ticks.reduce((all, each) => all + each, 0),
    busy: user + nice + system + irq + softirq,
    stolen,
    processes,
  }
}

function percent(share: number): string {
  return `${(share * 100).toFixed(1)} %`
}
