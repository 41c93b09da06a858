// F-16: workers are renewed and the server restarted under load: nobody is logged out, no request fails.
import { setTimeout as sleep } from 'node:timers/promises'
import { startLoad } from '../test/support/steady-load.ts'
import { type Asking, ask, cookieOf } from './http-request.ts'
import { atLeast, exactly, type Fact, type StressRun } from './result.ts'
import { type Served, serve } from './serve.ts'
import { onEveryTarget, onLastTarget, type StorageTarget } from './storage-targets.ts'

const WORKERS = '4'
const MEMBERS = 40
const PER_SECOND = 200
const PASSWORD = 'granite lantern ferry'
const GUESSES = 5
const RENEWED = 'the workers are renewed'

export const rollingRestart: StressRun = {
  id: 'F-16',
  title: 'four workers renewed under load fail no request and lose no session; a restart loses none either',
  run: (size) =>
    size === 'full' ? onEveryTarget((target) => measure(target, 10)) : onLastTarget((target) => measure(target, 1)),
}

async function measure(target: StorageTarget, restarts: number): Promise<readonly Fact[]> {
  const settings = { WORKERS, TRUST_PROXY: '1', LOG_LEVEL: 'info' }
  const first = await serve({ target, settings })
  let server = first
  try {
    const cookies = await Promise.all(Array.from({ length: MEMBERS }, (_, number) => register(server, number)))
    for (let guess = 0; guess < GUESSES; guess++) await ask(`${server.base}/api/login`, wrongLogin(guess))
    const traffic = new Traffic(server.base, cookies)
    const load = startLoad(PER_SECOND, (number) => traffic.send(number))
    for (let restart = 0; restart < restarts; restart++) await server.signalUntil('SIGHUP', RENEWED)
    await load.end()
    for (const wrong of new Set(load.failed)) console.log(`  ${target.name}: ${wrong}`)
    const lostByRenewal = await lost(server, traffic.loggedIn)
    await server.kill('SIGTERM')
    server = await serve({ target, settings, port: Number(new URL(first.base).port) })
    return [
      exactly('rolling restarts of four workers', restarts, restarts),
      atLeast('requests meanwhile', restarts * PER_SECOND, load.answered + load.failed.length),
      exactly('requests that failed', 0, load.failed.length),
      atLeast('sessions begun before and meanwhile', MEMBERS, traffic.loggedIn.size),
      exactly('sessions lost', 0, lostByRenewal),
      exactly('sessions lost by a whole restart', 0, await lost(server, traffic.loggedIn)),
      exactly(
        'status of a try at a throttled account afterwards',
        429,
        (await ask(`${server.base}/api/login`, wrongLogin(99))).status,
      ),
    ]
  } finally {
    await server.kill()
  }
}

function nameOf(number: number): string {
  return `member-${number % MEMBERS}`
}

/** A network of its own for everybody: limits of networks are another run's. */
function from(number: number, body: object): Asking {
  return { body, headers: { 'x-forwarded-for': `10.7.${number >> 8}.${number & 255}` } }
}

async function register({ base }: Served, number: number): Promise<string> {
  return cookieOf(await ask(`${base}/api/register`, from(number, { username: nameOf(number), password: PASSWORD })))
}

function wrongLogin(number: number): Asking {
  return from(number, { username: 'nobody', password: 'not the password' })
}

/** What members do: mostly read, now and then log in, write, or log out. */
class Traffic {
  /** Cookies of members. */
  readonly loggedIn: Set<string>
  readonly #base: string
  readonly #mine: readonly string[]
  #logins = 0

  constructor(base: string, cookies: readonly string[]) {
    this.#base = base
    this.#mine = cookies
    this.loggedIn = new Set(cookies)
  }

  /** What is wrong about the answer. */
  async send(number: number): Promise<string | undefined> {
    // Few enough for everybody's own limits, whatever the length of the run.
    if (number % 40 === 20 && this.#logins < MEMBERS * 10) return this.#logIn(this.#logins++)
    const cookie = this.#mine[number % MEMBERS] ?? ''
    // Not always the same member: each may change their name thirty times in ten minutes.
    if (number % 401 === 10)
      return expectStatus(200, this.#ask('/api/profile', { body: { displayName: `${number}` }, headers: { cookie } }))
    return expectStatus(200, this.#ask('/api/profile', { headers: { cookie } }))
  }

  async #logIn(number: number): Promise<string | undefined> {
    const answer = await this.#ask('/api/login', from(number, { username: nameOf(number), password: PASSWORD }))
    if (answer.status !== 200) return `a login was answered ${answer.status}`
    const cookie = cookieOf(answer)
    this.loggedIn.add(cookie)
    await sleep(50)
    // At another worker than the one that logged in, mostly.
    const seen = await expectStatus(200, this.#ask('/api/profile', { headers: { cookie } }))
    if (seen !== undefined || number % 2 === 0) return seen
    this.loggedIn.delete(cookie)
    const left = await expectStatus(204, this.#ask('/api/logout', { body: {}, headers: { cookie } }))
    return left ?? expectStatus(401, this.#ask('/api/profile', { headers: { cookie } }))
  }

  #ask(path: string, asking: Asking) {
    return ask(this.#base + path, asking)
  }
}

async function expectStatus(wanted: number, asked: ReturnType<typeof ask>): Promise<string | undefined> {
  const { status } = await asked
  return status === wanted ? undefined : `status ${status} instead of ${wanted}`
}

async function lost({ base }: Served, cookies: ReadonlySet<string>): Promise<number> {
  const seen = await Promise.all([...cookies].map((cookie) => ask(`${base}/api/profile`, { headers: { cookie } })))
  return seen.filter(({ status }) => status !== 200).length
}
