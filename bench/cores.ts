// Gives the measured servers a core of their own, and the rest of the benchmark the others.
import { spawnSync } from 'node:child_process'
import { availableParallelism } from 'node:os'

const TASKSET: string = 'taskset'
const SERVERS = '0'
const ALL = `0-${availableParallelism() - 1}`
const OTHERS = availableParallelism() > 2 ? `1-${availableParallelism() - 1}` : '1'

export interface Cores {
  /** Puts a server and all its threads on the core of the servers, of which one works at a time. */
  forServer(pid: number): void
  /** Lets this process and what it starts run everywhere again. */
  release(): void
}

/**
 * A process that moves from core to core finds their caches cold, and the same requests take up to twice the time.
 * Does nothing on one core, or if there is no `taskset` (Linux alone has it).
 */
export function shareCores(): Cores {
  const canPin = availableParallelism() > 1 && spawnSync(TASKSET, ['--version']).error === undefined
  const pin = (pid: number, cores: string) => void (canPin && spawnSync(TASKSET, ['-a', '-c', '-p', cores, String(pid)]))
  pin(process.pid, OTHERS)
  return { forServer: (pid) => pin(pid, SERVERS), release: () => pin(process.pid, ALL) }
}
