// The login storm: how many people can log in at once, and what those who are logged in notice of it.
import { fork } from 'node:child_process'
import { resolve } from 'node:path'
import { startLoad } from './generator.ts'
import { hashRate } from './hash-rate.ts'
import { memberName, networkOf } from './members.ts'
import { type Measured, register, registerAndLogIn, startServer } from './processes.ts'
import { median, percentile } from './stats.ts'
import type { StormOrder, StormReport } from './storm-client.ts'

const LOGINS = 32
const READERS = 4
const READS_PER_SECOND = 200
const QUEUE = 256
const OVERLOAD = 300
const MEMBERS = 400

export interface StormOptions {
  readonly rounds: number
  readonly seconds: number
}

export interface StormResult {
  readonly loginsPerSecond: number
  readonly rawHashesPerSecond: number
  /** The same threads at the priority that the server gives them: what else runs on the machine passes both alike. */
  readonly rawHashesPerSecondNiced: number
  readonly ofRaw: number
  readonly ofRawNiced: number
  readonly idle: Latency
  readonly storm: Latency
  readonly p99Ratio: number
  readonly p50MoreMs: number
  readonly loginsPerSecondInFlood: number
  readonly floodShare: number
  readonly overload: {
    readonly refusals: number
    readonly p50Ms: number
    readonly p99Ms: number
    readonly allWithRetryAfter: boolean
    readonly loginsPerSecond: number
    readonly rssMiB: { readonly before: number; readonly highest: number }
  }
}

interface Latency {
  readonly p50Ms: number
  readonly p99Ms: number
}

const NOTHING = {
  logins: 0,
  members: MEMBERS,
  pauseAfterRefusalMs: 1000,
  probesAfterMs: 0,
  readers: [],
  readsPerSecond: 0,
  probesPerSecond: 0,
}

export async function measureStorm({ rounds, seconds }: StormOptions): Promise<StormResult> {
  // Behind a proxy, as far as the server knows: each client comes from a network of its own, and the throttle lets all of them in.
  const server = await startServer({ settings: { TRUST_PROXY: '1', HASH_QUEUE: String(QUEUE) } })
  try {
    const readers = await enrol(server.base)
    const order = { ...NOTHING, base: server.base, seconds }
    const reading = { readers, readsPerSecond: READS_PER_SECOND }
    await clients({ ...order, ...reading, logins: LOGINS, seconds: 1 })

    const runs: { raw: number; niced: number; idle: StormReport; storm: StormReport; flooded: StormReport }[] = []
    for (let round = 0; round < rounds; round++) {
      runs.push({
        raw: await hashRate({ ms: seconds * 500, niceness: 0 }),
        niced: await hashRate({ ms: seconds * 500, niceness: 10 }),
        idle: await clients({ ...order, ...reading }),
        storm: await clients({ ...order, ...reading, logins: LOGINS }),
        flooded: await inFlood(server.base, readers[0] ?? '', () => clients({ ...order, logins: LOGINS })),
      })
    }
    const overload = await overloaded(server, seconds)
    for (const { idle, storm, flooded } of runs) {
      const failures = idle.failures + storm.failures + flooded.failures
      if (failures > 0) throw new Error(`${failures} requests of the storm failed`)
    }
    const each = (what: (run: (typeof runs)[number]) => number) => median(runs.map(what))
    const loginsPerSecond = each(({ storm }) => storm.loginsPerSecond)
    const loginsPerSecondInFlood = each(({ flooded }) => flooded.loginsPerSecond)
    return {
      loginsPerSecond,
      rawHashesPerSecond: each(({ raw }) => raw),
      rawHashesPerSecondNiced: each(({ niced }) => niced),
      ofRaw: each(({ storm, raw }) => storm.loginsPerSecond / raw),
      ofRawNiced: each(({ storm, niced }) => storm.loginsPerSecond / niced),
      idle: { p50Ms: each(({ idle }) => percentile(idle.reads, 0.5)), p99Ms: each(({ idle }) => percentile(idle.reads, 0.99)) },
      storm: {
        p50Ms: each(({ storm }) => percentile(storm.reads, 0.5)),
        p99Ms: each(({ storm }) => percentile(storm.reads, 0.99)),
      },
      p99Ratio: each(({ idle, storm }) => percentile(storm.reads, 0.99) / percentile(idle.reads, 0.99)),
      p50MoreMs: each(({ idle, storm }) => percentile(storm.reads, 0.5) - percentile(idle.reads, 0.5)),
      loginsPerSecondInFlood,
      floodShare: loginsPerSecondInFlood / loginsPerSecond,
      overload,
    }
  } finally {
    await server.stop()
  }
}

/** Everybody who will log in has an account; the readers are logged in. */
async function enrol(base: string): Promise<string[]> {
  const names = Array.from({ length: MEMBERS }, (_, index) => index)
  while (names.length > 0) {
    await Promise.all(names.splice(0, 16).map((index) => register(base, memberName(index), networkOf(index))))
  }
  const readers: string[] = []
  for (let reader = 0; reader < READERS; reader++) {
    const username = `reader-${reader}`
    readers.push(await registerAndLogIn(base, { username, network: networkOf(MEMBERS + reader) }))
  }
  return readers
}

/** Cheap requests as fast as they are answered, while `work` goes on. */
async function inFlood<T>(base: string, cookie: string, work: () => Promise<T>): Promise<T> {
  const flood = startLoad({ url: `${base}/api/profile`, headers: { Cookie: cookie } }, 600)
  try {
    return await work()
  } finally {
    flood.stop()
  }
}

/** More people than the queue holds try at once; a few more are timed as they are turned away. */
async function overloaded(server: Measured, seconds: number): Promise<StormResult['overload']> {
  const before = (await server.ask()).rssBytes
  let highest = before
  const look = async () => {
    highest = Math.max(highest, (await server.ask()).rssBytes)
  }
  const watch = setInterval(() => void look(), 250)
  const report = await clients({
    ...NOTHING,
    base: server.base,
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

function clients(order: StormOrder): Promise<StormReport> {
  const child = fork(resolve(import.meta.dirname, 'storm-client.ts'), { execArgv: [] })
  return new Promise((done, fail) => {
    child.once('message', (report: StormReport) => done(report))
    child.once('error', fail)
    child.once('exit', (code) => code !== 0 && fail(new Error(`the clients of the storm ended with ${code}`)))
    child.send(order)
  })
}
