// One HTTP request over kept connections, as many at once as asked for, with nothing remembered in between.
import { Agent, request } from 'node:http'

export interface Answer {
  readonly status: number
  /** But for the marker beside a session cookie, which carries nothing. */
  readonly setCookies: readonly string[]
  readonly text: string
}

export interface Asking {
  /** Sent as JSON, by POST. */
  readonly body?: object
  readonly headers?: Readonly<Record<string, string>>
}

/** Only an answer that never comes takes so long, however busy the machine is. */
const MAX_MS = 60_000

const agent = new Agent({ keepAlive: true })

/** Rejects if the connection breaks before the whole answer is there, and if nothing comes for a minute. */
export function ask(url: string, { body, headers = {} }: Asking = {}): Promise<Answer> {
  const text = body === undefined ? undefined : JSON.stringify(body)
  const type = text === undefined ? {} : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) }
  return new Promise((done, fail) => {
    const made = request(
      url,
      { method: text === undefined ? 'GET' : 'POST', agent, headers: { ...type, ...headers } },
      (response) => {
        let received = ''
        response.setEncoding('utf8')
        response.on('data', (part: string) => {
          received += part
        })
        response.on('end', () => {
          const setCookies = (response.headers['set-cookie'] ?? []).filter((line) => !/^[^=]*-seen=/.test(line))
          done({ status: response.statusCode ?? 0, setCookies, text: received })
        })
        response.on('error', fail)
      },
    )
    made.on('error', fail)
    made.setTimeout(MAX_MS, () => made.destroy(new Error(`${url} did not answer in ${MAX_MS} ms`)))
    made.end(text)
  })
}

/** The Cookie header that answers a Set-Cookie. */
export function cookieOf({ setCookies, status }: Answer): string {
  const [pair] = setCookies.map((cookie) => cookie.split(';')[0] ?? '')
  if (pair === undefined) throw new Error(`the answer (${status}) has no cookie`)
  return pair
}

/** Those that nobody uses. */
export function closeConnections(): void {
  agent.destroy()
}
