// F-40: SIGTERM under 500 requests a second: every accepted request is answered, and the process ends in time.
import { Agent, request } from 'node:http'
import { connect } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { ask, cookieOf } from './http-request.ts'
import { atLeast, atMost, exactly, type Fact, type StressRun } from './result.ts'
import { serve } from './serve.ts'
import { onEveryTarget, type StorageTarget } from './storage-targets.ts'

const CONNECTIONS = 50
const PAUSE_MS = 100
const LOAD_MS = 1000
const LONGEST_STOP_MS = 10_000

export const gracefulStop: StressRun = {
  id: 'F-40',
  title: 'a stop under 500 requests a second answers every accepted request, by one process and by workers',
  run: (size) => onEveryTarget((target) => measure(target, size === 'full' ? 20 : 1)),
}

async function measure(target: StorageTarget, stops: number): Promise<readonly Fact[]> {
  const reported = { answered: 0, failed: 0, notClosed: 0, badExits: 0, readyAfterwards: 0, slowestMs: 0 }
  for (let stop = 0; stop < stops * 2; stop++) {
    const seen = await stopOnce(target, { workers: stop % 2 === 0 ? '' : '2', username: `member-${stop}` })
    reported.answered += seen.answered
    reported.failed += seen.failed
    reported.notClosed += seen.notClosed
    if (seen.exitCode !== 0) reported.badExits++
    // 503, or a refused connection once it accepts none.
    if (seen.readiness !== 503 && seen.readiness !== 0) reported.readyAfterwards++
    reported.slowestMs = Math.max(reported.slowestMs, seen.stopMs)
  }
  return [
    atLeast('stops, of one process and of two workers in turn', stops * 2, stops * 2),
    atLeast('requests answered before and meanwhile', stops * 2 * 100, reported.answered),
    exactly('requests let in and not answered', 0, reported.failed),
    exactly('connections that were not told to close', 0, reported.notClosed),
    exactly('stops after which /readyz was neither 503 nor refused', 0, reported.readyAfterwards),
    exactly('exit codes other than 0', 0, reported.badExits),
    { ...atMost('the longest stop in ms', LONGEST_STOP_MS, Math.round(reported.slowestMs)), isTime: true },
  ]
}

interface Stopped {
  readonly answered: number
  readonly failed: number
  readonly notClosed: number
  readonly readiness: number
  readonly exitCode: number | null
  readonly stopMs: number
}

async function stopOnce(target: StorageTarget, { workers, username }: { workers: string; username: string }): Promise<Stopped> {
  const server = await serve({ target, settings: { WORKERS: workers, RATE_LIMIT: 'off' } })
  try {
    const registered = await ask(`${server.base}/api/register`, { body: { username, password: 'granite lantern ferry' } })
    const cookie = cookieOf(registered)
    const clients = Array.from({ length: CONNECTIONS }, () => askOnAndOn(server.base, cookie))
    await sleep(LOAD_MS)
    const stoppedAt = performance.now()
    const ended = server.kill('SIGTERM')
    const look = () =>
      ask(`${server.base}/readyz`).then(
        ({ status }) => status,
        () => 0,
      )
    // The signal takes its time on a busy machine.
    let readiness = await look()
    while (readiness === 200 && server.exitCode() === null) readiness = await look()
    const seen = await Promise.all(clients)
    await ended
    return {
      answered: seen.reduce((sum, { answered }) => sum + answered, 0),
      failed: seen.filter(({ end }) => end === 'broken').length,
      notClosed: seen.filter(({ end }) => end === 'left').length,
      readiness,
      exitCode: server.exitCode(),
      stopMs: performance.now() - stoppedAt,
    }
  } finally {
    await server.kill()
  }
}

/** One kept connection, ten requests a second, until it is told to close. `broken`: a request had no answer; `left`: no more came in. */
async function askOnAndOn(base: string, cookie: string): Promise<{ answered: number; end: 'closed' | 'broken' | 'left' }> {
  const { hostname, port } = new URL(base)
  const socket = connect({ host: hostname, port: Number(port) })
  const agent = new Agent({ keepAlive: true, maxSockets: 1 })
  agent.createConnection = () => socket
  socket.on('error', () => {})
  for (let answered = 0; ; answered++) {
    await sleep(PAUSE_MS * (0.5 + Math.random()))
    if (socket.destroyed || socket.readableEnded) return { answered, end: 'left' }
    const answer = await one(agent, base, cookie)
    if (answer === undefined) return { answered, end: 'broken' }
    if (answer === 'close') return { answered: answered + 1, end: 'closed' }
  }
}

/** What the answer says of the connection; undefined if none came. */
function one(agent: Agent, base: string, cookie: string): Promise<string | undefined> {
  return new Promise((resolve) => {
    const made = request(`${base}/api/profile`, { agent, headers: { cookie } }, (response) => {
      response.resume()
      response.on('end', () => resolve(response.headers.connection ?? 'keep-alive'))
      response.on('error', () => resolve(undefined))
    })
    made.on('error', () => resolve(undefined))
    made.end()
  })
}
