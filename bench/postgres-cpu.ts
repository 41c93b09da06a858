// What PostgreSQL has used: the processes of one database, and those that write for all of them. Only on Linux, where they run on this machine.
import type { PostgresClient } from './external.ts'
import { pids, textOf, timesOf } from './proc.ts'

/** Says how many CPU microseconds were used since the first asking. Undefined where the processes cannot be seen. */
export async function postgresCpu(client: PostgresClient, database: string): Promise<(() => number) | undefined> {
  const { rows } = await client.query('SELECT pg_backend_pid() AS pid')
  const server = timesOf(Number(rows[0]?.pid))?.parent
  if (server === undefined || !titleOf(server).includes('postgres')) return undefined
  const named = new RegExp(`\\b(?:${database}|walwriter|checkpointer|background writer)\\b`)
  const seen = new Map<number, number>()
  let sum = 0
  // One that has ended meanwhile takes along what it used since it was seen last, and nothing of before.
  return () => {
    for (const pid of pids()) {
      if (timesOf(pid)?.parent !== server || !named.test(titleOf(pid))) continue
      const micros = microsOf(pid)
      sum += Math.max(0, micros - (seen.get(pid) ?? 0))
      seen.set(pid, micros)
    }
    return sum
  }
}

function titleOf(pid: number): string {
  return textOf(`/proc/${pid}/cmdline`).replaceAll('\0', ' ')
}

/** The first number is nanoseconds on a processor. https://docs.kernel.org/scheduler/sched-stats.html */
function microsOf(pid: number): number {
  return Number(textOf(`/proc/${pid}/schedstat`).split(' ')[0]) / 1000
}
