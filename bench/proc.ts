// What Linux tells of processes: their names, parents and processor time. Nothing on other systems.
import { readdirSync, readFileSync } from 'node:fs'
import { basename } from 'node:path'

/** Of the times in /proc, on every Linux that Node runs on. */
export const TICKS_PER_SECOND = 100

export interface ProcessTimes {
  readonly name: string
  readonly parent: number
  /** Ticks that it has used, user and system. */
  readonly own: number
  /** Ticks of its children that have ended, and of theirs. */
  readonly ofEnded: number
}

export function processTimes(): ReadonlyMap<number, ProcessTimes> {
  const found = new Map<number, ProcessTimes>()
  for (const pid of pids()) {
    const times = timesOf(pid)
    if (times) found.set(pid, times)
  }
  return found
}

export function pids(): readonly number[] {
  try {
    return readdirSync('/proc')
      .filter((name) => /^\d+$/.test(name))
      .map(Number)
  } catch {
    return []
  }
}

/** Fields 4 and 14 to 17 of proc_pid_stat(5). The name before them may hold spaces and brackets. */
export function timesOf(pid: number): ProcessTimes | undefined {
  const found = /^\d+ \((.*)\) \S (.*)$/s.exec(textOf(`/proc/${pid}/stat`))
  if (found === null) return undefined
  const [parent = 0, , , , , , , , , , user = 0, system = 0, endedUser = 0, endedSystem = 0] = (found[2] ?? '')
    .split(' ')
    .map(Number)
  return { name: found[1] ?? '', parent, own: user + system, ofEnded: endedUser + endedSystem }
}

/** The program and its first arguments, without their folders. */
export function commandOf(pid: number): string {
  const [program = '', ...args] = textOf(`/proc/${pid}/cmdline`).split('\0')
  return (
    [program, ...args.slice(0, 2)]
      .map((part) => basename(part).slice(0, 30))
      .join(' ')
      .trim() ||
    (timesOf(pid)?.name ?? 'one that ended')
  )
}

/** Nothing where the process has ended meanwhile. */
export function textOf(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return ''
  }
}
