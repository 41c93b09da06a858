// F-43: a server at 30 % load for a long time: its heap does not grow, and no file handle is left open.
import { resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { pathToFileURL } from 'node:url'
import { freePort } from '../test/support/program.ts'
import { startLoad } from '../test/support/steady-load.ts'
import { type Asking, ask, closeConnections, cookieOf } from './http-request.ts'
import { PORT_VARIABLE, type Usage } from './memory-probe.ts'
import { anyOf } from './race-sites.ts'
import { atLeast, atMost, counted, exactly, type Fact, type StressRun } from './result.ts'
import { serve } from './serve.ts'
import { type StorageTarget, withTarget } from './storage-targets.ts'

const PROBE = pathToFileURL(resolve(import.meta.dirname, 'memory-probe.ts')).href
const PASSWORD = 'granite lantern ferry'
const MEMBERS = 50
const CALIBRATION_CLIENTS = 16
const LOAD = 0.3
const SAMPLES = 24

/** `SOAK_MINUTES=1440 npm run stress -- F-43` is the whole day. */
export const soak: StressRun = {
  id: 'F-43',
  title: 'under a third of the load that it can take, a server holds no more memory and no more files than at the start',
  run(size) {
    const minutes = size === 'full' ? Number(process.env.SOAK_MINUTES ?? 10) : 0.2
    return withTarget('SQLite', (target) => measure(target, minutes))
  },
}

interface Sample extends Usage {
  readonly hours: number
}

async function measure(target: StorageTarget, minutes: number): Promise<readonly Fact[]> {
  const probePort = await freePort()
  const settings = { RATE_LIMIT: 'off', NODE_OPTIONS: `--import=${PROBE}`, [PORT_VARIABLE]: String(probePort) }
  const server = await serve({ target, settings })
  const usage = async (): Promise<Usage> =>
    JSON.parse((await ask(`http://127.0.0.1:${probePort}`, { headers: { connection: 'close' } })).text)
  try {
    const people = new People(server.base)
    await people.gather()
    const handlesBefore = await handlesAtRest(usage)
    const perSecond = Math.round((await capacityOf(people, Math.min(10, minutes * 10))) * LOAD)
    const load = startLoad(perSecond, (number) => people.act(number))
    const startedAt = performance.now()
    const samples: Sample[] = []
    const pauseMs = (minutes * 60_000) / SAMPLES
    for (let n = 0; n < SAMPLES; n++) {
      await sleep(pauseMs)
      samples.push({ ...(await usage()), hours: (performance.now() - startedAt) / 3_600_000 })
    }
    await load.end()
    const handlesAfter = await handlesAtRest(usage, handlesBefore)
    // What is filled once, as caches are, is filled in the first third.
    const settled = samples.slice(SAMPLES / 3)
    const growth = Math.round((median(settled.slice(SAMPLES / 3)) - median(settled.slice(0, SAMPLES / 3))) / 1024)
    const slope = Math.round(slopeOf(settled) / 1024)
    return [
      counted('minutes', minutes),
      counted('requests a second', perSecond),
      atLeast('requests that were answered as they should be', Math.floor(perSecond * minutes * 30), load.answered),
      exactly('requests that were not', 0, load.failed.length),
      counted('KB of heap after a full collection, at the end', Math.round((samples.at(-1)?.heapBytes ?? 0) / 1024)),
      atMost('KB of heap more in the last third than in the second', minutes < 5 ? 4096 : 1024, growth),
      // The garbage of minutes says nothing about an hour.
      minutes < 60 ? counted('KB of heap more an hour, by all of these', slope) : atMost('KB of heap more an hour', 1024, slope),
      exactly('file handles more at rest than before', 0, Math.max(0, handlesAfter - handlesBefore)),
    ]
  } finally {
    await server.kill()
  }
}

/** Requests a second of people who wait for no pace. */
async function capacityOf(people: People, seconds: number): Promise<number> {
  const until = performance.now() + seconds * 1000
  let done = 0
  const clients = Array.from({ length: CALIBRATION_CLIENTS }, async () => {
    while (performance.now() < until) await people.act(done++)
  })
  await Promise.all(clients)
  return done / seconds
}

/** Once the server has noticed that the connections are closed. */
async function handlesAtRest(usage: () => Promise<Usage>, wanted = 0): Promise<number> {
  closeConnections()
  let [last, now] = [Number.POSITIVE_INFINITY, (await usage()).fileHandles]
  while (now > wanted && now < last) {
    await sleep(1000)
    last = now
    now = (await usage()).fileHandles
  }
  return now
}

function median(samples: readonly Sample[]): number {
  const sorted = samples.map(({ heapBytes }) => heapBytes).toSorted((a, b) => a - b)
  return sorted[sorted.length >> 1] ?? 0
}

/** Bytes an hour, by least squares. */
function slopeOf(samples: readonly Sample[]): number {
  const mean = (numbers: readonly number[]) => numbers.reduce((sum, one) => sum + one, 0) / numbers.length
  const [x, y] = [mean(samples.map(({ hours }) => hours)), mean(samples.map(({ heapBytes }) => heapBytes))]
  const above = samples.reduce((sum, { hours, heapBytes }) => sum + (hours - x) * (heapBytes - y), 0)
  return above / samples.reduce((sum, { hours }) => sum + (hours - x) ** 2, 0)
}

/** Of twenty requests one logs in, one in and out, one makes an account, one changes a name; the others read. */
class People {
  readonly #base: string
  readonly #names: string[] = []
  readonly #cookies: string[] = []

  constructor(base: string) {
    this.#base = base
  }

  async gather(): Promise<void> {
    for (let n = 0; n < MEMBERS; n++) {
      const wrong = await this.#register(`member-${n}`)
      if (wrong !== undefined) throw new Error(wrong)
    }
  }

  /** What is wrong about the answer; undefined where nothing is. */
  async act(number: number): Promise<string | undefined> {
    const cookie = anyOf(this.#cookies)
    switch (number % 20) {
      case 0:
        return this.#begin(200, '/api/login', anyOf(this.#names))
      case 5:
        return this.#comeAndGo(anyOf(this.#names))
      case 10:
        return this.#register(`person-${number}-${Math.random().toString(36).slice(2, 10)}`)
      case 15:
        return this.#expect(200, '/api/profile', { headers: { cookie }, body: { displayName: `Somebody ${number}` } })
      default:
        return this.#expect(200, number % 2 === 0 ? '/api/profile' : '/account/security', { headers: { cookie } })
    }
  }

  async #register(username: string): Promise<string | undefined> {
    return this.#begin(201, '/api/register', username)
  }

  async #comeAndGo(username: string): Promise<string | undefined> {
    const answer = await ask(`${this.#base}/api/login`, { body: { username, password: PASSWORD } })
    if (answer.status !== 200) return `the login was answered ${answer.status}`
    return this.#expect(204, '/api/logout', { headers: { cookie: cookieOf(answer) }, body: {} })
  }

  /** A session more. The oldest is forgotten by its owner, who never logs out: it expires. */
  async #begin(expected: number, path: string, username: string): Promise<string | undefined> {
    const answer = await ask(`${this.#base}${path}`, { body: { username, password: PASSWORD } })
    if (answer.status !== expected) return `${path} was answered ${answer.status}`
    if (this.#names.length < MEMBERS) this.#names.push(username)
    this.#cookies.push(cookieOf(answer))
    if (this.#cookies.length > MEMBERS * 2) this.#cookies.shift()
    return undefined
  }

  async #expect(expected: number, path: string, asking: Asking): Promise<string | undefined> {
    const { status } = await ask(`${this.#base}${path}`, asking)
    return status === expected ? undefined : `${path} was answered ${status}`
  }
}
