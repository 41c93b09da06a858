// Sends described and fuzzed requests to every operation of the API, and checks every answer.
import fc from 'fast-check'
import { JSON_BODY } from '../../src/http/openapi.ts'
import type { Media } from '../../src/http/openapi-types.ts'
import { ask, type Call, type Reply } from '../security/wire.ts'
import type { Contract, Described } from './api-contract.ts'

export interface ApiRequest {
  readonly cookie?: string | undefined
  /** An object is sent as JSON, a text as it is. Default: the example. */
  readonly body?: unknown
  readonly id?: string
  readonly headers?: Readonly<Record<string, string>>
}

/** The password of the examples. */
const PASSWORD = 'granite lantern ferry'
const PASSWORD_PATH = '/api/account/password'

export type ApiClient = ReturnType<typeof apiClient>

/** Sends requests to a server and keeps what is wrong with its answers in `faults`. */
export function apiClient(base: string, contract: Contract, faults: unknown[]) {
  let password = PASSWORD
  const call = async (
    described: Described,
    { cookie, body, id = 'no-such-id', headers = {} }: ApiRequest = {},
  ): Promise<Reply> => {
    const { method, path, operation } = described
    const content = body === undefined ? bodyOf(operation)?.example : body
    const text = typeof content === 'string' || content === undefined ? content : JSON.stringify(content)
    const sent: Call = {
      method,
      headers: {
        ...(text !== undefined && { 'content-type': 'application/json' }),
        ...(cookie !== undefined && { cookie }),
        ...headers,
      },
      body: method === 'GET' ? undefined : text,
    }
    const reply = await ask(base, path.replace('{id}', encodeURIComponent(id)), sent)
    if (path === PASSWORD_PATH && reply.status === 204) password = JSON.parse(String(text)).newPassword
    const fault = contract.faultOf(described, reply)
    if (fault !== undefined) faults.push({ fault, id, sent })
    return reply
  }
  return {
    call,
    /** The cookie of a new session. A password that was changed meanwhile is put back. */
    async logIn(): Promise<string> {
      const login = contract.operation('POST', '/api/login')
      const cookieOf = ({ setCookies }: Reply) => setCookies[0]?.split(';')[0] ?? ''
      if (password === PASSWORD) return cookieOf(await call(login))
      const cookie = cookieOf(await call(login, { body: { username: 'alice', password } }))
      const body = { currentPassword: password, newPassword: PASSWORD }
      return cookieOf(await call(contract.operation('POST', PASSWORD_PATH), { cookie, body }))
    },
    async sessionId(cookie: string): Promise<string> {
      const { text } = await call(contract.operation('GET', '/api/account/sessions'), { cookie })
      return JSON.parse(text).sessions[0].id
    },
  }
}

export function bodyOf({ requestBody }: Described['operation']): Media | undefined {
  return requestBody?.content[JSON_BODY]
}

export interface FuzzOptions {
  /** Requests for each operation. */
  readonly each: number
  /** The same seed makes the same requests. */
  readonly seed: number
  readonly atOnce: number
}

export interface Tally {
  requests: number
  /** How often each status was answered. */
  readonly statuses: Map<number, number>
  /** What was done at least once. */
  readonly succeeded: Set<Described>
  /** Answers that are not as described. */
  readonly faults: unknown[]
}

/** What is sent logs people out: so many requests, and they log in again. */
const ROUND = 50

/** Makes up as many requests for each operation as asked for; stops early if an answer is not as described. */
export async function sendFuzzed(base: string, contract: Contract, { each, seed, atOnce }: FuzzOptions): Promise<Tally> {
  const tally: Tally = { requests: 0, statuses: new Map(), succeeded: new Set(), faults: [] }
  const client = apiClient(base, contract, tally.faults)
  await client.call(contract.operation('POST', '/api/register'))
  for (const [number, described] of contract.operations.entries()) {
    for (let sent = 0; sent < each && tally.faults.length === 0; sent += ROUND) {
      const numRuns = Math.min(ROUND, each - sent)
      const known = await logInThrice(client)
      const requests = fc.sample(fuzzedRequest(described, contract.fieldsOf(described), known), {
        numRuns,
        seed: seed + 1000 * number + sent,
      })
      for (let from = 0; from < numRuns; from += atOnce) {
        const replies = await Promise.all(requests.slice(from, from + atOnce).map((one) => client.call(described, one)))
        for (const { status } of replies) {
          tally.requests++
          tally.statuses.set(status, (tally.statuses.get(status) ?? 0) + 1)
          if (status < 300) tally.succeeded.add(described)
        }
      }
    }
  }
  return tally
}

interface Known {
  readonly cookies: readonly string[]
  /** Names one of these sessions. */
  readonly id: string
}

async function logInThrice({ logIn, sessionId }: ApiClient): Promise<Known> {
  const cookies = [await logIn(), await logIn(), await logIn()]
  return { cookies, id: await sessionId(cookies[0] ?? '') }
}

const NASTY = [
  '',
  ' ',
  '\u0000',
  '__proto__',
  'alice',
  'root',
  '\ud800',
  '\u202e',
  "' OR 1=1--",
  '\u{1F600}'.repeat(300),
  'x'.repeat(2000),
  'granite lantern ferry',
]

/** A third of the bodies are as the document asks, a third near to it, a third is broken in some way. */
function fuzzedRequest({ operation }: Described, names: readonly string[], { cookies, id }: Known): fc.Arbitrary<ApiRequest> {
  const media = bodyOf(operation)
  const example: Readonly<Record<string, unknown>> = Object.fromEntries(Object.entries(media?.example ?? {}))
  const text = fc.oneof(fc.constantFrom(...NASTY), fc.string({ unit: 'binary', maxLength: 40 }))
  const usual = (name: string) =>
    name === 'username' ? fc.oneof(fc.constant(example[name]), newName) : fc.constant(example[name])
  const field = (name: string) => fc.oneof(usual(name), usual(name), text, fc.jsonValue({ maxDepth: 2 }), fc.constant(undefined))
  const fields = (make: (name: string) => fc.Arbitrary<unknown>) =>
    fc.record(Object.fromEntries(names.map((name) => [name, make(name)])))
  const body = fc.oneof(
    { weight: 3, arbitrary: fields(usual) },
    { weight: 3, arbitrary: fields(field) },
    { weight: 1, arbitrary: fc.json() },
    { weight: 1, arbitrary: text },
    { weight: 1, arbitrary: fc.constantFrom('', '{', '[]', '"', `"${'x'.repeat(17_000)}"`, '['.repeat(9000)) },
  )
  const cookie = fc.oneof(
    fc.constantFrom(...cookies),
    fc.constantFrom('guildhall=', 'guildhall=x', '=;='),
    fc.constant(undefined),
  )
  const anId = fc.oneof(
    fc.constant(id),
    text.map((one) => one.toWellFormed()),
  )
  return fc.record({ cookie, body, id: anId, headers: HEADERS })
}

const newName = fc.uuid().map((id) => `u${id.slice(0, 13)}`)

const HEADERS = fc.oneof(
  { weight: 4, arbitrary: fc.constant({}) },
  {
    weight: 1,
    arbitrary: fc.record(
      {
        'content-type': fc.constantFrom(
          'application/json',
          'application/json; charset=utf-16',
          'text/plain',
          ';',
          'APPLICATION/JSON',
        ),
        'sec-fetch-site': fc.constantFrom('same-origin', 'none', 'cross-site', 'same-site', 'banana'),
        origin: fc.constantFrom('null', 'https://evil.example'),
        accept: fc.constantFrom('*/*', 'text/html', 'application/json', ';;'),
        host: fc.constantFrom('elsewhere.example', ''),
        'content-encoding': fc.constantFrom('gzip', 'br', 'x'),
        'accept-language': fc.constantFrom('zh-TW', 'en', '*', ';;q'),
      },
      { requiredKeys: [] },
    ),
  },
)
