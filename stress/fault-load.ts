// Sixteen people on two processes who read, log in, log out and register; each answer is timed and judged.
import { setTimeout as sleep } from 'node:timers/promises'
import { type Answer, type Asking, ask, cookieOf } from './http-request.ts'

export const PASSWORD = 'granite lantern ferry'

const READERS = 9
/** Members who log in and out: many, as one account may log in sixty times an hour. */
const COMERS = 30
const PACE_MS = 60

export interface Answered {
  readonly path: string
  readonly status: number | 'nothing'
  readonly ms: number
  /** When the answer was there. */
  readonly at: number
}

interface Member {
  readonly name: string
  cookie: string
}

export class Load {
  readonly answered: Answered[] = []
  /** Usernames answered 201. */
  readonly registered: string[] = []
  /** Usernames answered 503, or not at all: the account exists whole, or not. */
  readonly unsure: string[] = []
  /** Cookies of logouts that were answered 204. */
  readonly loggedOut: string[] = []
  /** What nobody may be answered, by what it was. */
  readonly strangers = new Map<string, number>()
  readonly others = new Map<string, number>()
  readonly wrongGrants = new Map<string, number>()
  /** If sessions may be lost, members log in again; a session that is lost at once counts as a login that did not happen. */
  mayBeLoggedOut = false
  logins = 0
  readonly members: Member[] = []
  readonly #bases: readonly string[]
  readonly #pages: readonly string[]
  #repeating: readonly Promise<void>[] = []
  #isOver = false

  /** The first base is our server, the second an application with pages of its own. */
  constructor(bases: readonly [string, string]) {
    this.#bases = bases
    const [served, app] = bases
    this.#pages = [
      `${served}/api/profile`,
      `${app}/diary`,
      `${served}/profile`,
      `${app}/who`,
      `${app}/count`,
      `${app}/api/profile`,
    ]
  }

  /** Everybody has an account and is logged in. */
  async gather(): Promise<void> {
    for (let number = 0; number < READERS; number++) {
      const name = `reader-${number}`
      this.members.push({ name, cookie: cookieOf(await this.#join(name, number)) })
    }
    await Promise.all(Array.from({ length: COMERS }, (_, number) => this.#join(`comer-${number}`, number)))
  }

  begin(): void {
    const reading = this.members.map((member, number) => this.#repeat((step) => this.#read(member, step + number)))
    const joining = [0, 1, 2].map((number) => this.#repeat((step) => this.#register(`newcomer-${number}-${step}`, number + step)))
    const coming = [0, 1].map((number) => this.#repeat((step) => this.#come(this.#comer(), number + step)))
    const visiting = this.#repeat((step) => this.#visit(step))
    const going = this.#repeat((step) => this.#go(this.#comer(), step))
    this.#repeating = [...reading, ...joining, ...coming, visiting, going]
  }

  async end(): Promise<void> {
    this.#isOver = true
    await Promise.all(this.#repeating)
  }

  /** When the last answer of that kind was there, of those since a moment. */
  lastAt(status: number, since: number): number {
    return Math.max(since, ...this.answered.filter((one) => one.status === status && one.at >= since).map(({ at }) => at))
  }

  /** Of every logout that was answered, whether its cookie lets in again now. */
  async countUndone(): Promise<number> {
    let undone = 0
    for (const cookie of this.loggedOut) {
      const answer = await this.#ask('/api/profile', { headers: { cookie } }, undone)
      if (answer?.status !== 401) undone++
    }
    return undone
  }

  /** How many of the names cannot log in. */
  async countRefused(names: readonly string[]): Promise<number> {
    let refused = 0
    for (const username of names) {
      const answer = await this.#ask('/api/login', { body: { username, password: PASSWORD } }, refused)
      if (answer?.status !== 200) refused++
    }
    return refused
  }

  /** New members come back. */
  #comer(): string {
    const at = Math.floor(Math.random() * (COMERS + this.registered.length))
    return this.registered[at - COMERS] ?? `comer-${at}`
  }

  async #join(username: string, step: number): Promise<Answer> {
    const answer = await this.#ask('/api/register', { body: { username, password: PASSWORD } }, step)
    if (answer?.status !== 201) throw new Error(`${username} could not register: ${answer?.status}`)
    return answer
  }

  async #repeat(step: (number: number) => Promise<void>): Promise<void> {
    for (let number = 0; !this.#isOver; number++) {
      await step(number)
      await sleep(PACE_MS * (0.5 + Math.random()))
    }
  }

  async #read(member: Member, step: number): Promise<void> {
    const page = this.#pages[step % this.#pages.length] ?? ''
    await this.#look(page, member)
  }

  /** A member is answered as that member or with 503, never as somebody else, never as logged out. */
  async #look(page: string, member: Member): Promise<void> {
    const { name, cookie } = member
    const answer = await this.#ask(page, { headers: { cookie } })
    if (answer === undefined || answer.status === 503) return
    const path = new URL(page).pathname
    const isLogin = answer.status === 401 || (answer.status >= 300 && answer.status < 400)
    const isNobody = isLogin || (answer.status === 200 && answer.text === '')
    if (isNobody && this.mayBeLoggedOut) return this.#comeBack(member)
    if (isNobody) return note(this.strangers, `${path} ${answer.status}`)
    if (answer.status !== 200) return note(this.others, `${path} ${answer.status}`)
    if (!answer.text.includes(name)) note(this.wrongGrants, `${path} of ${name}`)
  }

  async #comeBack(member: Member): Promise<void> {
    const answer = await this.#ask('/api/login', { body: { username: member.name, password: PASSWORD } }, this.logins)
    if (answer?.status !== 200) return
    member.cookie = cookieOf(answer)
    this.logins++
  }

  async #register(username: string, step: number): Promise<void> {
    const answer = await this.#ask('/api/register', { body: { username, password: PASSWORD } }, step)
    if (answer?.status === 201) this.registered.push(username)
    else if (answer === undefined || this.#isNone(answer)) this.unsure.push(username)
    else note(this.others, `registration ${answer.status}`)
  }

  async #come(name: string, step: number): Promise<void> {
    const cookie = await this.#logIn(name, step)
    if (cookie !== undefined) await this.#look(this.#pages[step % this.#pages.length] ?? '', { name, cookie })
  }

  async #logIn(username: string, step: number): Promise<string | undefined> {
    const answer = await this.#ask('/api/login', { body: { username, password: PASSWORD } }, step)
    if (answer?.status === 200) return cookieOf(answer)
    if (answer !== undefined && !this.#isNone(answer)) note(this.others, `login ${answer.status}`)
    return undefined
  }

  #isNone({ status }: Answer): boolean {
    return status === 503 || (status === 401 && this.mayBeLoggedOut)
  }

  /** In and out again. A logout that is answered holds; one that is not is tried again. */
  async #go(name: string, step: number): Promise<void> {
    const cookie = await this.#logIn(name, step)
    if (cookie === undefined) return
    for (let tries = 0; !this.#isOver; tries++) {
      const answer = await this.#ask('/api/logout', { body: {}, headers: { cookie } }, step + tries)
      if (answer?.status === 204) break
      if (answer !== undefined && answer.status !== 503) return note(this.others, `logout ${answer.status}`)
      await sleep(PACE_MS)
    }
    if (this.#isOver) return
    this.loggedOut.push(cookie)
    const after = await this.#ask('/api/profile', { headers: { cookie } }, step + 1)
    if (after?.status === 200) note(this.wrongGrants, 'after a logout')
  }

  /** A request without a cookie needs no store. */
  async #visit(step: number): Promise<void> {
    const answer = await this.#ask('/login', {}, step)
    if (answer !== undefined && answer.status !== 200) note(this.others, `login page ${answer.status}`)
  }

  /** Undefined if the connection broke. A path is asked of one of the processes. */
  async #ask(where: string, { headers, ...asking }: Asking, step = 0): Promise<Answer | undefined> {
    const began = performance.now()
    const url = where.startsWith('/') ? `${this.#bases[step % 2]}${where}` : where
    const path = new URL(url).pathname
    // From everywhere: the limits of one network are not what is looked at.
    const answer = await ask(url, { ...asking, headers: { 'x-forwarded-for': anyAddress(), ...headers } }).catch(() => undefined)
    const at = performance.now()
    this.answered.push({ path, status: answer?.status ?? 'nothing', ms: at - began, at })
    return answer
  }
}

function note(what: Map<string, number>, words: string): void {
  what.set(words, (what.get(words) ?? 0) + 1)
}

export function anyAddress(): string {
  const part = () => Math.floor(Math.random() * 256)
  return `10.${part()}.${part()}.${part()}`
}
