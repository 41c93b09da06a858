// The people of the benchmark, one for each number: what they are called, and how they register, log in and log out over HTTP.

export const PASSWORD = 'granite lantern ferry'

/** Where one logs in, and by what. */
export interface Door {
  readonly path: string
  readonly by: 'username' | 'email'
}

export const API_LOGIN: Door = { path: '/api/login', by: 'username' }

/** Where the benchmark's small applications let everybody in. */
const SIMPLE_LOGIN: Door = { path: '/login', by: 'username' }

/** Behind a proxy, as far as the server knows: everybody comes from a network of their own, and the throttle lets all of them in. */
export const BEHIND_PROXY = { TRUST_PROXY: '1' } as const

/** Accounts that take turns in the storm. */
export const MEMBERS = 400

export function memberName(index: number): string {
  return `member-${index}`
}

export function memberAddress(index: number): string {
  return `${memberName(index)}@example.org`
}

/** One address each, out of a range that belongs to nobody (RFC 2544). */
function networkOf(index: number): string {
  return `198.18.${index >> 8}.${index & 255}`
}

export async function register(base: string, index: number): Promise<void> {
  await post(`${base}/api/register`, { username: memberName(index), password: PASSWORD }, headersFor(base, index))
}

/** The Cookie header of a login. */
export async function logIn(base: string, door: Door, index: number): Promise<string> {
  const { path, body, headers } = loginRequest(base, door, index)
  return cookieOf(await post(base + path, body, headers))
}

export function logInSimply(base: string, index: number): Promise<string> {
  return logIn(base, SIMPLE_LOGIN, index)
}

export async function registerAndLogIn(base: string, index: number): Promise<string> {
  await register(base, index)
  return logIn(base, API_LOGIN, index)
}

export async function logOut(base: string, cookie: string): Promise<void> {
  const response = await fetch(`${base}/api/logout`, { method: 'POST', headers: { ...headersFor(base, 0), cookie }, body: '{}' })
  if (response.status !== 204) throw new Error(`a logout was answered ${response.status}`)
}

/** The logins of all members in turn, as the load generator takes them: one line each. */
export function loginLines(base: string, door: Door): readonly string[] {
  return Array.from({ length: MEMBERS }, (_, index) => {
    const { body, headers } = loginRequest(base, door, index)
    return `${headers['x-forwarded-for']}\t${JSON.stringify(body)}`
  })
}

/** What a login sends, for whoever sends it with a client of their own. */
export function loginRequest(base: string, { path, by }: Door, index: number) {
  const body = { [by]: by === 'email' ? memberAddress(index) : memberName(index), password: PASSWORD }
  return { path, body, headers: headersFor(base, index) }
}

/** As a browser says it: better-auth asks for the origin. */
function headersFor(base: string, index: number): Readonly<Record<string, string>> {
  return { 'content-type': 'application/json', origin: base, 'x-forwarded-for': networkOf(index) }
}

async function post(url: string, body: object, headers: Readonly<Record<string, string>>): Promise<Response> {
  const response = await fetch(url, { method: 'POST', headers, body: JSON.stringify(body) })
  if (!response.ok) throw new Error(`${url} answered ${response.status}: ${await response.text()}`)
  await response.arrayBuffer()
  return response
}

function cookieOf(response: Response): string {
  const cookies = response.headers.getSetCookie().map((cookie) => cookie.split(';')[0])
  if (cookies.length === 0) throw new Error(`${response.url} gave no cookie`)
  return cookies.join('; ')
}
