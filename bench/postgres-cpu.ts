// What PostgreSQL has used: the processes of one database, and those that write for all of them. Only on Linux, where they run on this machine.
import { readdirSync, readFileSync } from 'node:fs'
import type { PostgresClient } from './external.ts'

/** CPU microseconds so far. Undefined where the processes cannot be seen. */
export async function postgresCpu(client: PostgresClient, database: string): Promise<(() => number) | undefined> {
  const { rows } = await client.query('SELECT pg_backend_pid() AS pid')
  const server = parentOf(Number(rows[0]?.pid))
  if (server === undefined || !titleOf(server).includes('postgres')) return undefined
  const ours = new RegExp(`\\b(?:${database}|walwriter|checkpointer|background writer)\\b`)
  return () =>
    readdirSync('/proc')
      .filter((name) => /^\d+$/.test(name))
      .map(Number)
      .filter((pid) => parentOf(pid) === server && ours.test(titleOf(pid)))
      .reduce((sum, pid) => sum + microsOf(pid), 0)
}

function titleOf(pid: number): string {
  return textOf(`/proc/${pid}/cmdline`).replaceAll('\0', ' ')
}

function parentOf(pid: number): number | undefined {
  const parent = / \w (\d+) /.exec(textOf(`/proc/${pid}/stat`).replace(/^.*\)/, ''))?.[1]
  return parent === undefined ? undefined : Number(parent)
}

/** The first number is nanoseconds on a processor. https://docs.kernel.org/scheduler/sched-stats.html */
function microsOf(pid: number): number {
  return Number(textOf(`/proc/${pid}/schedstat`).split(' ')[0]) / 1000
}

/** Nothing where the process has ended meanwhile. */
function textOf(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return ''
  }
}
