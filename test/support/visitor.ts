// Somebody with a browser's cookie jar, who opens pages, sends forms and talks to the JSON API over real HTTP.
import { CookieJar } from 'tough-cookie'

export interface Answer {
  readonly status: number
  readonly headers: Headers
  readonly text: string
  /** The parsed body; fails the test if it is no JSON. */
  json<T = Record<string, unknown>>(): T
  /** The target of a redirect, as a local path. */
  readonly location: string | null
  readonly setCookies: readonly string[]
}

type Fields = Readonly<Record<string, string>> | string
interface Extra {
  readonly headers?: Readonly<Record<string, string>>
}

export class Visitor {
  readonly base: string
  readonly jar = new CookieJar()

  constructor(base: string) {
    this.base = base
  }

  /** Opens a page, as a click on this site's own link does. */
  get(path: string, extra: Extra = {}): Promise<Answer> {
    return this.send(path, { headers: { accept: 'text/html', ...extra.headers } })
  }

  /** Sends a form as a browser does from our own page. */
  form(path: string, fields: Fields, extra: Extra = {}): Promise<Answer> {
    const body = typeof fields === 'string' ? fields : new URLSearchParams(fields).toString()
    const headers = {
      accept: 'text/html',
      'content-type': 'application/x-www-form-urlencoded',
      'sec-fetch-site': 'same-origin',
      ...extra.headers,
    }
    return this.send(path, { method: 'POST', headers, body })
  }

  /** Calls the JSON API; without a body it reads. */
  api(path: string, body?: unknown, extra: Extra = {}): Promise<Answer> {
    if (body === undefined) return this.send(`/api${path}`, { headers: { accept: 'application/json', ...extra.headers } })
    const text = typeof body === 'string' ? body : JSON.stringify(body)
    const headers = { accept: 'application/json', 'content-type': 'application/json', ...extra.headers }
    return this.send(`/api${path}`, { method: 'POST', headers, body: text })
  }

  async send(path: string, init: RequestInit & { headers?: Record<string, string> } = {}): Promise<Answer> {
    const url = new URL(path, this.base).href
    const cookie = await this.jar.getCookieString(url)
    const headers = { ...(cookie !== '' && { cookie }), ...init.headers }
    const response = await fetch(url, { redirect: 'manual', ...init, headers })
    const setCookies = response.headers.getSetCookie()
    for (const one of setCookies) await this.jar.setCookie(one, url, { ignoreError: true })
    const text = await response.text()
    return {
      status: response.status,
      headers: response.headers,
      text,
      json: () => JSON.parse(text),
      location: response.headers.get('location'),
      setCookies,
    }
  }

  /** The value of the session cookie, or undefined. */
  async sessionId(name = 'guildhall'): Promise<string | undefined> {
    const cookies = await this.jar.getCookies(this.base)
    return cookies.find(({ key }) => key === name)?.value
  }

  async register(username: string, password = GOOD_PASSWORD): Promise<Answer> {
    return this.api('/register', { username, password })
  }

  async logIn(username: string, password = GOOD_PASSWORD, more: object = {}): Promise<Answer> {
    return this.api('/login', { username, password, ...more })
  }
}

/** Sends one request with exactly these headers and no jar: for cookies that a browser would not send. */
export async function rawGet(base: string, path: string, cookie?: string): Promise<Answer> {
  const visitor = new Visitor(base)
  return visitor.send(path, { headers: { accept: 'application/json', ...(cookie !== undefined && { cookie }) } })
}

export const GOOD_PASSWORD = 'granite lantern ferry'
