// More people than the queue holds: who is turned away, how soon, and what the server's memory does meanwhile.
import type { Measured } from './processes.ts'
import { percentile } from './stats.ts'
import { sendClients } from './storm-clients.ts'
import { API_LOGIN } from './visitors.ts'

const OVERLOAD = 300

export interface OverloadResult {
  readonly refusals: number
  readonly p50Ms: number
  readonly p99Ms: number
  readonly allWithRetryAfter: boolean
  readonly loginsPerSecond: number
  readonly rssMiB: { readonly before: number; readonly highest: number }
}

export async function measureOverload(server: Measured, seconds: number): Promise<OverloadResult> {
  const before = (await server.usage()).rssBytes
  let highest = before
  const look = async () => {
    highest = Math.max(highest, (await server.usage()).rssBytes)
  }
  const watch = setInterval(() => void look(), 250)
  // A few more people than those that fill the queue are timed as they are turned away.
  const report = await sendClients({
    base: server.base,
    door: API_LOGIN,
    seconds,
    logins: OVERLOAD,
    probesPerSecond: 20,
    probesAfterMs: 1000,
  })
  clearInterval(watch)
  const { refusalsMs, refusalsWithRetryAfter } = report
  return {
    refusals: refusalsMs.length,
    p50Ms: percentile(refusalsMs, 0.5),
    p99Ms: percentile(refusalsMs, 0.99),
    allWithRetryAfter: refusalsMs.length > 0 && refusalsWithRetryAfter === refusalsMs.length,
    loginsPerSecond: report.loginsPerSecond,
    rssMiB: { before: Math.round(before / 2 ** 20), highest: Math.round(highest / 2 ** 20) },
  }
}
