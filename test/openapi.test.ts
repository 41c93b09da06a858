// The description of the API is valid, leaves nothing out, and every answer of a real server is as it says.
import { Ajv2020 } from 'ajv/dist/2020.js'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { z } from 'zod'
import { ERROR_CODES, MembershipError } from '../src/domain/errors.ts'
import { RefusalError } from '../src/domain/hooks.ts'
import { action } from '../src/http/action.ts'
import { JSON_BODY } from '../src/http/openapi.ts'
import type { ApiDocument } from '../src/http/openapi-types.ts'
import { describeServer } from '../src/server/describe-server.ts'
import { ask } from './security/wire.ts'
import { Contract, type Described, promises, schemaAt } from './support/api-contract.ts'
import { type ApiRequest, apiClient, bodyOf, sendFuzzed } from './support/api-requests.ts'
import { startServer, type Variables } from './support/server.ts'
import { openSite, type Site } from './support/site.ts'
import { giveToken } from './support/tokens.ts'

/** `npm run stress -- I-15` sends 100 000 in all; the quick run sends fewer. */
const REQUESTS_PER_OPERATION = process.env.REQUIRE_ALL === '1' ? 500 : 100

let site: Site
let document: ApiDocument
let contract: Contract

beforeAll(async () => {
  site = await openSite({
    hooks: {
      beforeRegister() {
        throw new RefusalError('by_invitation_only', 'Ask a member to invite you.')
      },
      beforeSignIn() {
        throw new RefusalError('on_holiday', 'We are back on Monday.')
      },
    },
  })
  document = describeServer(site)
  contract = new Contract(document)
})
afterAll(() => site.close())

describe('the document', () => {
  test('has what OpenAPI 3.1 requires, and every reference leads somewhere', () => {
    const { openapi, info, tags, components } = document
    expect(openapi).toMatch(/^3\.1\.\d+$/)
    expect(info).toMatchObject({ title: 'Guildhall API', version: expect.stringMatching(/^\d+\.\d+\.\d+/) })
    const ids = contract.operations.map(({ operation }) => operation.operationId)
    expect(new Set(ids).size).toBe(ids.length)
    const ajv = new Ajv2020({ strict: false })
    for (const { path, operation } of contract.operations) {
      expect(path).toMatch(/^\/[^?#:]+$/)
      const parts = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name)
      expect(operation.parameters?.map(({ name }) => name) ?? []).toEqual(parts)
      for (const parameter of operation.parameters ?? []) expect(parameter).toMatchObject({ in: 'path', required: true })
      expect(tags.map(({ name }) => name)).toEqual(expect.arrayContaining([...operation.tags]))
      for (const need of operation.security)
        for (const name of Object.keys(need)) expect(components.securitySchemes).toHaveProperty(name)
      expect(Object.keys(operation.responses).length).toBeGreaterThan(0)
      for (const [status, { description, content }] of Object.entries(operation.responses)) {
        expect(status).toMatch(/^[1-5]\d\d$/)
        expect(description).not.toBe('')
        for (const { schema } of Object.values(content ?? {})) expect(ajv.validateSchema(schema)).toBe(true)
      }
    }
    const refs = [...JSON.stringify(document).matchAll(/"\$ref":"([^"]+)"/g)].map(([, ref = '']) => ref)
    expect(refs.filter((ref) => at(document, ref.replace('#', '')) === undefined)).toEqual([])
  })

  test('its examples fit their schemas', () => {
    const faults: unknown[] = []
    for (const { operation } of contract.operations) {
      for (const [status, { content = {} }] of Object.entries(operation.responses)) {
        for (const [type, { example, examples = {} }] of Object.entries(content)) {
          const place = schemaAt(operation.places[status], type)
          if (example !== undefined) faults.push(contract.faultOfExample(place, example))
          for (const { $ref } of Object.values(examples)) faults.push(contract.faultOfExample(place, valueAt(document, $ref)))
        }
      }
      const body = bodyOf(operation)
      if (body) faults.push(contract.faultOfExample(schemaAt(operation.places.body, JSON_BODY), body.example))
    }
    expect(faults.filter((fault) => fault !== undefined)).toEqual([])
  })

  test('every action with a JSON endpoint is in it, and nothing that is not served', () => {
    const served = site.routes.filter(({ endpoint }) => endpoint === 'api').map(({ method, path }) => `${method} ${path}`)
    const described = contract.operations
      .filter(({ operation }) => operation.tags.includes('members'))
      .map(({ method, path }) => `${method} ${path.replaceAll(/\{(\w+)\}/g, ':$1')}`)
    expect(described.toSorted()).toEqual(served.toSorted())
  })

  test('every path that a feature declares is in it, but for those that are pages alone', () => {
    const declared = [...new Set(site.routes.filter(({ endpoint }) => endpoint === 'page').map(({ path }) => path))]
    expect(declared).toContain('/login')
    const missing = declared.filter((path) => !(`/api${path.replaceAll(/:(\w+)/g, '{$1}')}` in document.paths))
    expect(missing.toSorted()).toEqual(['/account/security', '/language'])
  })

  test('every error code has its example', () => {
    expect(Object.keys(document.components.examples)).toEqual([...ERROR_CODES])
  })

  test('paths are written in full, and the cookie has its real name', async () => {
    const moved = await openSite({
      path: '/members',
      baseUrl: 'https://example.org',
      features: { profile: { page: '/me' }, registration: false },
    })
    const { paths, servers, components } = describeServer(moved)
    expect(Object.keys(paths)).toEqual(expect.arrayContaining(['/members/api/login', '/members/api/me', '/healthz']))
    expect(Object.keys(paths)).not.toContain('/members/api/register')
    expect(servers).toEqual([{ url: 'https://example.org' }])
    expect(components.securitySchemes.session).toMatchObject({ type: 'apiKey', in: 'cookie', name: '__Host-guildhall' })
    await moved.close()
  })

  test('somebody who writes a client reads what a username may be, and how short a password of this site', async () => {
    const strict = await openSite({ passwords: { minLength: 15 } })
    expect(describeServer(strict).components.schemas.RegisterInput?.properties).toMatchObject({
      username: { pattern: expect.stringMatching(/^\^.*\$$/), minLength: 3, maxLength: 32 },
      password: { minLength: 15 },
    })
    await strict.close()
  })

  test('the compiler refuses an answer that is not as it is declared', () => {
    const shape = z.object({ n: z.number() })
    const said = { name: 'x', summary: 'X', description: 'X.' }
    const common = { at: 'x', guard: 'anybody', input: z.object({}), run: () => 1 } as const
    action({ ...common, api: { ...said, body: shape }, answer: (n) => ({ body: { n } }) })
    // @ts-expect-error: text in place of a number
    action({ ...common, api: { ...said, body: shape }, answer: (n) => ({ body: { n: String(n) } }) })
    // @ts-expect-error: the declared body is missing
    action({ ...common, api: { ...said, body: shape }, answer: () => ({}) })
    // @ts-expect-error: a JSON endpoint that is not described
    action({ ...common, answer: () => ({}) })
  })
})

describe('a real server', () => {
  // Without a hash an act is overloaded only by five others on the same user, each of which was faster.
  const unproven = / (?:internal|store_unavailable)$|^POST \/api\/not-me 503 overloaded$/

  test('Z-04 answers every documented request as it is described, and meets every documented code', {
    timeout: 120_000,
  }, async () => {
    const faults: unknown[] = []
    const open = async (env: Variables) => {
      const server = await startServer({ env: { LOG_LEVEL: 'silent', ...env } })
      return apiClient(`http://localhost:${server.port}`, contract, faults)
    }
    const free = await open({ RATE_LIMIT: 'off' })
    const members = contract.operations.filter(({ operation }) => operation.tags.includes('members'))

    await free.call(contract.operation('POST', '/api/register'))
    await free.call(contract.operation('POST', '/api/register'))
    await free.call(contract.operation('POST', '/api/register'), {
      body: { username: 'r', password: 'short', displayName: '\u202e' },
    })
    await free.call(contract.operation('POST', '/api/login'), { body: { username: 'alice', password: 'wrong' } })
    const other = await free.logIn()
    await free.call(contract.operation('POST', '/api/reauthenticate'), { cookie: other, body: { password: 'wrong' } })
    await free.call(contract.operation('POST', '/api/account/password'), {
      cookie: other,
      body: { currentPassword: 'wrong', newPassword: 'harbour violet kettle' },
    })
    await free.call(contract.operation('POST', '/api/account/sessions/{id}/end'), { cookie: other, id: 'nobody-s' })
    await free.call(contract.operation('POST', '/api/verify-email'), { cookie: other, body: { code: 'BCDF-GHJK' } })
    for (const described of members) {
      if (described.path !== '/api/register') {
        const cookie = await free.logIn()
        await free.call(described, { cookie, id: await free.sessionId(cookie) })
      }
      for (const spoiled of spoilings(described, contract.fieldsOf(described)))
        await free.call(described, { cookie: await free.logIn(), ...spoiled })
    }

    const closed = await open({ REGISTRATION: 'closed' })
    await closed.call(contract.operation('POST', '/api/register'))

    const strict = await open({ REGISTRATIONS_PER_HOUR: '2' })
    await strict.call(contract.operation('POST', '/api/register'))
    const cookie = await strict.logIn()
    for (const [path, body] of [
      ['/api/account/password', { currentPassword: 'wrong', newPassword: 'harbour violet kettle' }],
      ['/api/reauthenticate', { password: 'wrong' }],
      ['/api/login', { username: 'nobody', password: 'wrong' }],
      ['/api/register', { username: 'root', password: 'granite lantern ferry' }],
      ['/api/profile', { displayName: 'often' }],
      ['/api/account/sessions/end-others', {}],
      ['/api/forgot-password', { identifier: 'nobody' }],
      ['/api/not-me', { token: 'A'.repeat(22) }],
      ['/api/reset-password', { token: 'A'.repeat(22), password: 'harbour violet kettle' }],
      ['/api/verify-email', { token: 'A'.repeat(22), password: 'wrong' }],
      ['/api/verify-email/disown', { token: 'A'.repeat(22) }],
      ['/api/verify-email/resend', {}],
    ] as const)
      for (let n = 0; n < 61; n++) await strict.call(contract.operation('POST', path), { cookie, body })
    // On the counter that end-others has filled.
    await strict.call(contract.operation('POST', '/api/account/sessions/{id}/end'), { cookie, id: 'any' })

    const busy = await open({ RATE_LIMIT: 'off', HASH_WORKERS: '1', HASH_QUEUE: '1', HASH_MEMORY_KIB: '19456' })
    await busy.call(contract.operation('POST', '/api/register'))
    const login = await busy.logIn()
    for (const path of ['/api/login', '/api/account/password', '/api/reauthenticate', '/api/register'])
      await Promise.all(
        Array.from({ length: 12 }, (_, n) =>
          busy.call(contract.operation('POST', path), {
            cookie: login,
            body: {
              username: `user${n}`,
              password: 'granite lantern ferry',
              currentPassword: 'wrong',
              newPassword: 'harbour kettle',
            },
          }),
        ),
      )

    // A host application's own refusals.
    const { id } = await site.membership.users.create({ username: 'alice', password: 'granite lantern ferry' })
    const hosted = apiClient(site.base, contract, faults)
    await hosted.call(contract.operation('POST', '/api/register'), {
      body: { username: 'bob', password: 'granite lantern ferry' },
    })
    await hosted.call(contract.operation('POST', '/api/login'))

    // Only a mail brings its token.
    const token = await giveToken(site, id, { purpose: 'reset', at: site.clock.now() })
    const reset = contract.operation('POST', '/api/reset-password')
    const body = { token, password: 'harbour violet kettle' }
    const { hash } = site.core.passwords
    site.core.passwords.hash = () => Promise.reject(new MembershipError('overloaded', { retryAfter: 1 }))
    await hosted.call(reset, { body })
    site.core.passwords.hash = hash
    await hosted.call(reset, { body })
    const { check } = site.core.overload
    for (const path of ['/api/verify-email', '/api/verify-email/disown']) {
      const [username, password] = [`named${path.length}`, 'granite lantern ferry']
      const email = `${username}@mail.example`
      const user = await site.membership.users.create({ username, password, email })
      const mailed = await giveToken(site, user.id, { purpose: 'verify', at: site.clock.now(), emailKey: email })
      const operation = contract.operation('POST', path)
      site.core.overload.check = () => {
        throw new MembershipError('overloaded', { retryAfter: 1 })
      }
      await hosted.call(operation, { body: { token: mailed, password } })
      site.core.overload.check = check
      for (const wrong of path === '/api/verify-email' ? [{}, { password: 'wrong' }] : [])
        await hosted.call(operation, { body: { token: mailed, ...wrong } })
      await hosted.call(operation, { body: { token: mailed, password } })
    }
    const alarm = await giveToken(site, id, { purpose: 'not-me', at: site.clock.now() })
    await hosted.call(contract.operation('POST', '/api/not-me'), { body: { token: alarm } })

    for (const described of contract.operations.filter(({ operation }) => operation.tags.includes('server')))
      await free.call(described)
    await free.call(contract.operation('GET', '/metrics'), { headers: { via: 'a proxy', accept: 'application/json' } })
    await free.call(contract.operation('GET', '/metrics'), { headers: { via: 'a proxy', accept: 'text/html' } })

    await free.call(contract.operation('GET', '/api/profile'), { headers: { 'x-much': 'y'.repeat(17_000) } })

    expect(faults).toEqual([])
    expect(contract.met).toContain('GET /api/profile 431 -')
    // What the parser answers to no request: of slow and broken ones test/server and test/security send enough.
    const missed = promises(members).filter(
      (promise) => !contract.met.has(promise) && !unproven.test(promise) && !PARSER.test(promise),
    )
    expect(missed).toEqual([])
  })

  test('serves the document, for everybody to keep for a while', async () => {
    const server = await startServer()
    const reply = await ask(`http://localhost:${server.port}`, '/openapi.json', { headers: { host: 'whatever.example' } })
    expect(reply.headers).toMatchObject({
      'content-type': 'application/json; charset=utf-8',
      'cache-control': 'public, max-age=300',
    })
    expect(reply.setCookies).toEqual([])
    const reported: ApiDocument = JSON.parse(reply.text)
    expect(reported.servers).toEqual([{ url: server.url }])
    expect(reported.paths).toEqual(document.paths)
    const head = await ask(`http://localhost:${server.port}`, '/openapi.json', { method: 'HEAD' })
    expect([head.status, head.text]).toEqual([200, ''])
    expect((await ask(`http://localhost:${server.port}`, '/openapi.json', { method: 'POST' })).status).toBe(405)
  })

  test(`of ${REQUESTS_PER_OPERATION} fuzzed requests for each operation, every answer is as described and none is 5xx`, {
    timeout: 120_000,
  }, async () => {
    const server = await startServer({ env: { LOG_LEVEL: 'silent', RATE_LIMIT: 'off' } })
    const seed = Number(process.env.SEED ?? Date.now() % 2 ** 31)
    const base = `http://localhost:${server.port}`
    const made = { each: REQUESTS_PER_OPERATION, seed, atOnce: 8 }
    const { statuses, succeeded, faults } = await sendFuzzed(base, contract, made)
    // What chance may leave out of so few requests is asked for.
    const login = contract.operation('POST', '/api/login')
    const client = apiClient(base, contract, faults)
    for (const request of spoilings(login, contract.fieldsOf(login))) statuses.set((await client.call(login, request)).status, 1)
    expect({ seed, faults: faults.slice(0, 3) }).toEqual({ seed, faults: [] })
    expect([...statuses.keys()].filter((status) => status >= 500)).toEqual([])
    expect([...statuses.keys()]).toEqual(expect.arrayContaining([200, 201, 204, 400, 401, 403, 404, 413, 415, 421, 422]))
    expect(contract.operations.filter((one) => !succeeded.has(one) && !NEEDS_MAIL.has(one.path))).toEqual([])
  })
})

/** Nobody guesses the token of a mail. */
const NEEDS_MAIL: ReadonlySet<string> = new Set([
  '/api/reset-password',
  '/api/not-me',
  '/api/verify-email',
  '/api/verify-email/disown',
])

const PARSER = / (?:400|408|413|431) -$/

/** A request with one thing wrong, for each thing that can be. */
function spoilings({ method, operation }: Described, fields: readonly string[]): readonly ApiRequest[] {
  const elsewhere = { headers: { host: 'elsewhere.example' } }
  if (method === 'GET') return [elsewhere, { cookie: 'guildhall=nobody' }]
  const media = bodyOf(operation)
  const example: object = media?.example ?? {}
  return [
    elsewhere,
    { cookie: 'guildhall=nobody' },
    { headers: { 'sec-fetch-site': 'cross-site' } },
    { headers: { origin: 'https://evil.example' } },
    { body: '{"half":' },
    { body: '[]' },
    { body: 'null' },
    { body: { ...example, more: 'x'.repeat(17_000) } },
    { headers: { 'content-type': 'text/plain' }, body: 'hello' },
    { headers: { 'content-type': 'application/x-www-form-urlencoded' }, body: 'a=b' },
    { body: {} },
    ...fields.flatMap((name) => [7, null, [], 'x'.repeat(3000)].map((value) => ({ body: { ...example, [name]: value } }))),
  ]
}

function at(value: unknown, path: string): unknown {
  const parts = path.split('/').slice(1)
  return parts.reduce<unknown>(
    (part, name) => (typeof part === 'object' && part !== null ? Reflect.get(part, name) : undefined),
    value,
  )
}

function valueAt(whole: ApiDocument, ref: string): unknown {
  return at(whole, `${ref.replace('#', '')}/value`)
}
