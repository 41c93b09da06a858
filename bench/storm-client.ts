// The clients of the login storm, in a process of their own: members who log in as fast as they are answered, and members who read.
import { Agent, type OutgoingHttpHeaders, request } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Door, loginRequest, MEMBERS } from './visitors.ts'

export interface StormOrder {
  readonly base: string
  readonly door: Door
  readonly seconds: number
  /** Connections that log in, for all members in turn, each in a network of its own: nobody is throttled. 0: none. */
  readonly logins: number
  /** After a 503 a client waits so long before it tries again: what the least Retry-After asks for. */
  readonly pauseAfterRefusalMs: number
  /** Cookie headers of the readers, one connection each. */
  readonly readers: readonly string[]
  /** Reads per second, all readers together. 0: none. */
  readonly readsPerSecond: number
  /** Logins per second that come on top, each timed by itself: how long a refusal takes. */
  readonly probesPerSecond: number
  /** The queue is filled first. */
  readonly probesAfterMs: number
}

export interface StormReport {
  readonly logins: number
  readonly loginsPerSecond: number
  /** Milliseconds of each read, in order. */
  readonly reads: readonly number[]
  readonly refusalsMs: readonly number[]
  readonly refusalsWithRetryAfter: number
  /** Answers that are none of 200 and 503. */
  readonly failures: number
}

/** Connections for the logins that are timed. */
const PROBES = 8

interface Answered {
  readonly status: number
  readonly headers: NodeJS.Dict<string | string[]>
  readonly ms: number
}

process.once('message', (order: StormOrder) => {
  void storm(order).then((report) => {
    process.send?.(report)
    process.disconnect()
  })
})

async function storm(order: StormOrder): Promise<StormReport> {
  const startedAt = performance.now()
  const endsAt = startedAt + order.seconds * 1000
  const tally = { logins: 0, reads: [] as number[], refusalsMs: [] as number[], withRetryAfter: 0, failures: 0 }
  const agents = [order.logins, order.readers.length, PROBES].map(
    (connections) => new Agent({ keepAlive: true, maxSockets: connections || 1 }),
  )
  const [forLogins, forReads, forProbes] = agents

  let turn = 0
  const next = () => turn++ % MEMBERS

  async function logInAgainAndAgain(): Promise<void> {
    while (performance.now() < endsAt) {
      const answered = await logIn(order, next(), forLogins)
      if (answered.status === 503) await sleep(order.pauseAfterRefusalMs)
      else if (answered.status !== 200) tally.failures++
      else if (performance.now() < endsAt) tally.logins++
    }
  }

  /** Open loop: a read is due when it is due, whether or not the one before was answered. */
  async function atSteadyRate(perSecond: number, afterMs: number, act: (count: number) => Promise<void>): Promise<void> {
    const running: Promise<void>[] = []
    for (let count = 0; perSecond > 0; count++) {
      const dueAt = startedAt + afterMs + (count * 1000) / perSecond
      if (dueAt >= endsAt) break
      const wait = dueAt - performance.now()
      if (wait > 0) await sleep(wait)
      running.push(act(count))
    }
    await Promise.all(running)
  }

  const read = async (count: number): Promise<void> => {
    const cookie = order.readers[count % order.readers.length]
    const answered = await send(`${order.base}/api/profile`, { headers: { cookie }, agent: forReads })
    if (answered.status === 200) tally.reads.push(answered.ms)
    else tally.failures++
  }

  const probe = async (): Promise<void> => {
    const answered = await logIn(order, next(), forProbes)
    if (answered.status !== 503) return
    tally.refusalsMs.push(answered.ms)
    if (answered.headers['retry-after'] !== undefined) tally.withRetryAfter++
  }

  await Promise.all([
    ...Array.from({ length: order.logins }, logInAgainAndAgain),
    atSteadyRate(order.readsPerSecond, 0, read),
    atSteadyRate(order.probesPerSecond, order.probesAfterMs, probe),
  ])
  for (const agent of agents) agent.destroy()
  return {
    logins: tally.logins,
    loginsPerSecond: tally.logins / order.seconds,
    reads: tally.reads,
    refusalsMs: tally.refusalsMs,
    refusalsWithRetryAfter: tally.withRetryAfter,
    failures: tally.failures,
  }
}

function logIn({ base, door }: StormOrder, index: number, agent: Agent | undefined): Promise<Answered> {
  const { path, headers, body } = loginRequest(base, door, index)
  return send(base + path, { method: 'POST', headers: { ...headers }, agent, body: JSON.stringify(body) })
}

interface Sent {
  readonly method?: string
  readonly headers: OutgoingHttpHeaders
  readonly agent: Agent | undefined
  readonly body?: string
}

function send(url: string, { method = 'GET', headers, agent, body }: Sent): Promise<Answered> {
  const startedAt = performance.now()
  return new Promise((done, fail) => {
    const made = request(url, { method, headers, ...(agent && { agent }) }, (response) => {
      response.resume()
      response.on('end', () => {
        done({ status: response.statusCode ?? 0, headers: response.headers, ms: performance.now() - startedAt })
      })
    })
    made.on('error', fail)
    made.end(body)
  })
}
