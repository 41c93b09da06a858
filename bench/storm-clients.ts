// Sends the clients of the storm, each time in a process of their own, and sums up what those who read have seen.
import { fork } from 'node:child_process'
import { resolve } from 'node:path'
import { load, type Served } from './generator.ts'
import { linesFile } from './processes.ts'
import { percentile } from './stats.ts'
import type { StormOrder, StormReport } from './storm-client.ts'
import { type Door, loginLines } from './visitors.ts'

export interface Latency {
  readonly p50Ms: number
  readonly p99Ms: number
}

/** What an order leaves out does not happen. */
export type PartOfOrder = Pick<StormOrder, 'base' | 'door' | 'seconds'> & Partial<StormOrder>

export function sendClients(order: PartOfOrder): Promise<StormReport> {
  const whole: StormOrder = {
    logins: 0,
    pauseAfterRefusalMs: 1000,
    readers: [],
    readsPerSecond: 0,
    probesPerSecond: 0,
    probesAfterMs: 0,
    ...order,
  }
  const child = fork(resolve(import.meta.dirname, 'storm-client.ts'), { execArgv: [] })
  return new Promise((done, fail) => {
    child.once('message', (report: StormReport) => done(report))
    child.once('error', fail)
    child.once('exit', (code) => code !== 0 && fail(new Error(`the clients of the storm ended with ${code}`)))
    child.send(whole)
  })
}

export interface Logins {
  readonly base: string
  readonly door: Door
  readonly seconds: number
  readonly connections: number
}

/** Logins as fast as they are answered, by the load generator: a client in JavaScript would need half a core, which then hashes nothing. */
export async function logInAll({ base, door, seconds, connections }: Logins): Promise<Served> {
  const headers = { 'Content-Type': 'application/json', Origin: base }
  return load({ url: base + door.path, headers, seconds, connections, logins: linesFile(loginLines(base, door)) })
}

export function latencyOf({ reads }: StormReport): Latency {
  return { p50Ms: percentile(reads, 0.5), p99Ms: percentile(reads, 0.99) }
}
