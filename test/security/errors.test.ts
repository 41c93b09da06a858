// N-01 and N-02: an internal error is answered as a problem without details, and affects no other request.
import { Readable } from 'node:stream'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { createHasher } from '../../src/passwords/hasher.ts'
import { CHEAP_HASHES, openSite, type Site } from '../support/site.ts'
import { GOOD_PASSWORD } from '../support/visitor.ts'
import { bodyFor, LEAK, NOBODYS_ID, routesOf } from './site-map.ts'
import { plainErrors } from './targets.ts'
import { ask, type Reply } from './wire.ts'

const INTERNALS = 'secret inside: select value from credentials at /srv/app/src/core.ts:12:3'

const MODES = {
  development: {},
  production: {
    production: true,
    insecureHttp: true,
    secret: 'a secret of the operator, long enough for all',
    rateLimit: true,
    trustProxy: 1,
    passwords: { memoryKiB: 19_456, passes: 2 },
  },
} as const

/** Ways in which something can break. */
const BREAKS: Record<string, () => unknown> = {
  throws: () => {
    throw new Error(INTERNALS)
  },
  rejects: () => Promise.reject(new TypeError(INTERNALS)),
  'throws as SQLite does': () => {
    throw Object.assign(new Error(INTERNALS), { code: 'ERR_SQLITE_ERROR', errcode: 10 })
  },
  'throws a text': () => {
    throw INTERNALS
  },
  'rejects with nothing': () => Promise.reject(),
}

describe.each(['development', 'production'] as const)('in %s', (mode) => {
  let site: Site
  let cookie: string
  let visitors = 0

  beforeAll(async () => {
    site = await openSite(MODES[mode])
    await site.core.passwords.close()
    // Production takes no cheap hashes, and what breaks beside them does not need dear ones.
    Object.assign(site.core, {
      passwords: createHasher({ algorithm: 'argon2id', argon2: CHEAP_HASHES, bcryptCost: 4, peppers: [] }),
    })
    await site.membership.users.create({ username: 'alice', password: GOOD_PASSWORD })
    await logIn()
  })
  afterAll(() => site.close())

  async function logIn() {
    const { type, body } = bodyFor('api', { username: 'alice', password: GOOD_PASSWORD })
    const reply = await send('/api/login', { method: 'POST', headers: { 'content-type': type }, body })
    expect(reply.status).toBe(200)
    cookie = reply.setCookies[0]?.split(';')[0] ?? ''
  }

  /** Each request comes from a network of its own: throttles are not the question here. */
  function send(path: string, { headers, ...call }: { method?: string; headers?: Record<string, string>; body?: string } = {}) {
    visitors++
    return ask(site.base, path, {
      ...call,
      headers: { 'x-forwarded-for': `10.${visitors >> 16}.${(visitors >> 8) & 255}.${visitors & 255}`, ...headers },
    })
  }

  /** Breaks one part, sends a request to every path, repairs the part, and gives the answers. */
  async function withBroken(part: object, method: string, broken: () => unknown): Promise<Reply[]> {
    const whole: unknown = Reflect.get(part, method)
    const wasOwn = Object.hasOwn(part, method)
    const replies: Reply[] = []
    // In production one endpoint is enough, and the page is the other mode's.
    const places = routesOf(site).filter(
      ({ endpoint }) => mode === 'development' || endpoint === (broken === BREAKS.throws ? 'page' : 'api'),
    )
    for (const { path, endpoint, input } of places) {
      const { type, body } = bodyFor(endpoint, path.includes('register') ? { ...input, username: `u${visitors}` } : (input ?? {}))
      Object.assign(part, { [method]: broken })
      try {
        replies.push(await send(path, { headers: { cookie, accept: endpoint === 'api' ? 'application/json' : 'text/html' } }))
        if (!input) continue
        const reply = await send(path, { method: 'POST', headers: { 'content-type': type, cookie }, body })
        replies.push(reply)
        // A login or a confirmation that worked all the same has a new session.
        cookie = /^guildhall=[\w-]+/.exec(reply.setCookies[0] ?? '')?.[0] ?? cookie
      } finally {
        if (wasOwn) Object.assign(part, { [method]: whole })
        else Reflect.deleteProperty(part, method)
      }
      if ((await send('/api/profile', { headers: { cookie } })).status === 401) {
        site.clock.forward('1h')
        await logIn()
      }
    }
    return replies
  }

  const parts = (): Record<string, [object, string]> => ({
    'a read': [site.core.db, 'first'],
    'a list': [site.core.db, 'all'],
    'a write': [site.core.db, 'write'],
    'a unit of work': [site.core.db, 'transaction'],
    'the load of a session': [site.core.db.sessions, 'find'],
    'a new session': [site.core.db.sessions, 'create'],
    'the end of a session': [site.core.db.sessions, 'delete'],
    'the list of sessions': [site.core.db.sessions, 'listByUser'],
    'the end of all sessions': [site.core.db.sessions, 'deleteByUser'],
    'the check of a password': [site.core.passwords, 'verify'],
    'the hash of a password': [site.core.passwords, 'hash'],
  })

  const names = [
    'a read',
    'a list',
    'a write',
    'a unit of work',
    'the load of a session',
    'a new session',
    'the end of a session',
    'the list of sessions',
    'the end of all sessions',
    'the check of a password',
    'the hash of a password',
  ]
  const faults = names.flatMap((name) => Object.keys(BREAKS).map((way) => [name, way] as const))

  test.each(faults)('N-01 %s %s: the answer is a problem and nothing more', async (name, way) => {
    const [part, method] = parts()[name] ?? [{}, '']
    site.logs.length = 0
    const replies = await withBroken(part, method, BREAKS[way] ?? (() => {}))
    const failed = replies.filter(({ status }) => status >= 500)
    expect(failed.length).toBeGreaterThan(0)
    for (const { status, text, headers } of failed) {
      expect(status).toBe(way === 'throws as SQLite does' ? 503 : 500)
      expect(headers['retry-after']).toBe(status === 503 ? '1' : undefined)
      expect(headers['cache-control']).toBe('no-store')
      const requestId = isJson(headers) ? problemIn(text, status) : idOnPage(text)
      // The operator finds the stack in the log, by the id on the visitor's page.
      if (requestId !== undefined)
        expect(site.logs.filter((line) => 'requestId' in line.fields && line.fields.requestId === requestId)).toHaveLength(1)
      else expect(text).toContain('<form')
    }
    for (const { text, headers } of replies) {
      expect(text + JSON.stringify(headers)).not.toMatch(/secret inside/)
      expect(text).not.toMatch(LEAK)
    }
  })

  test('Z-09 a session that cannot be loaded is 503 at every guarded path, and nobody counts as logged out', async () => {
    const replies = await withBroken(site.core.db.sessions, 'find', BREAKS['throws as SQLite does'] ?? (() => {}))
    expect(new Set(replies.map(({ status }) => status))).toEqual(new Set([503]))
    expect(replies.flatMap(({ setCookies }) => setCookies)).toEqual([])
  })

  test('N-02 a touch that fails fails nobody', async () => {
    const { sessions } = site.core.db
    site.clock.forward('2m')
    Object.assign(sessions, { touch: BREAKS.rejects })
    expect((await send('/api/profile', { headers: { cookie } })).status).toBe(200)
    Reflect.deleteProperty(sessions, 'touch')
    expect(site.logs.some(({ message }) => message.includes('session store'))).toBe(true)
  })

  test('N-02 listeners that throw or reject spoil neither the login nor the process', async () => {
    const received = vi.fn()
    site.membership.on('login', () => {
      throw new Error(INTERNALS)
    })
    const rejects: () => unknown = () => Promise.reject(new Error(INTERNALS))
    site.membership.on('login', rejects)
    site.membership.on('login', received)
    site.clock.forward('1h')
    site.logs.length = 0
    await logIn()
    expect(received).toHaveBeenCalledOnce()
    await vi.waitFor(() => expect(site.logs.filter(({ message }) => message.includes('listener'))).toHaveLength(2), {
      timeout: 60_000,
    })
  })

  test('N-02 where even the error page cannot be made, the answer is a bare 500', async () => {
    const { views } = site.http
    const { page, featurePage } = views
    Object.assign(views, { page: BREAKS.throws, featurePage: BREAKS.throws })
    for (const path of ['/login', '/profile', '/account/security', '/logout']) {
      const headers = path === '/login' ? {} : { cookie }
      const reply = await send(path, { headers: { ...headers, accept: 'text/html' } })
      expect([path, reply.status, reply.text.includes('secret inside')]).toEqual([path, 500, false])
      expect(reply.text).not.toMatch(LEAK)
    }
    const refused = await send('/login', {
      method: 'POST',
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      body: 'username=a',
    })
    expect([refused.status, refused.text.includes('secret inside')]).toEqual([500, false])
    Object.assign(views, { page, featurePage })
    expect((await send('/login')).status).toBe(200)
  })
})

describe('N-02 routes of the host', () => {
  let site: Site
  let cookie: string

  beforeAll(async () => {
    site = await openSite({
      routes: (app, { membership }) => {
        app.get('/rejects', async () => {
          throw new Error(INTERNALS)
        })
        app.get('/who', (req, res) => void res.json({ user: req.user?.username ?? null }))
        app.get('/guarded', membership.requireLogin, (_req, res) => void res.send('inside'))
        app.get('/writes', (req, res) => {
          Object.assign(req.session, { n: Math.random() })
          res.send('written')
        })
        app.get('/stream', (req, res) => {
          Object.assign(req.session, { n: Math.random() })
          const source = new Readable({ read() { this.push('half'); this.destroy(new Error(INTERNALS)) } }) // biome-ignore format: a broken source in one line
          source.on('error', () => res.destroy())
          source.pipe(res)
        })
        app.use(plainErrors)
      },
    })
    const visitor = site.visitor()
    await visitor.register('alice')
    cookie = `guildhall=${await visitor.sessionId()}`
  })
  afterAll(() => site.close())

  const isOk = async () => (await ask(site.base, '/who', { headers: { cookie } })).text === '{"user":"alice"}'

  test('a handler that rejects is 500 once, and the next request is fine', async () => {
    expect((await ask(site.base, '/rejects', { headers: { cookie } })).status).toBe(500)
    expect(await isOk()).toBe(true)
  })

  test('a stream that breaks off ends its own connection only', async () => {
    await expect(ask(site.base, '/stream', { headers: { cookie } })).rejects.toThrow()
    expect(await isOk()).toBe(true)
  })

  test.each(['throws as SQLite does', 'rejects'])('a session store that %s logs no member out', async (way) => {
    const { sessions } = site.core.db
    Object.assign(sessions, { find: BREAKS[way] })
    const status = way === 'rejects' ? 500 : 503
    for (const path of ['/who', '/guarded', '/writes', '/api/profile'])
      expect([path, (await ask(site.base, path, { headers: { cookie, accept: 'application/json' } })).status]).toEqual([
        path,
        status,
      ])
    expect((await ask(site.base, '/who', {})).text).toBe('{"user":null}')
    Reflect.deleteProperty(sessions, 'find')
    expect(await isOk()).toBe(true)
  })

  test.each(['throws as SQLite does', 'rejects'])(
    'a write of the session that %s fails the answer, not the process',
    async (way) => {
      const { sessions } = site.core.db
      Object.assign(sessions, { update: BREAKS[way], create: BREAKS[way] })
      for (const headers of [{ cookie }, {}]) {
        const reply = await ask(site.base, '/writes', { headers })
        expect([reply.status, reply.setCookies, reply.text]).toEqual([way === 'rejects' ? 500 : 503, [], '{"host":"error"}'])
      }
      for (const method of ['update', 'create']) Reflect.deleteProperty(sessions, method)
      expect((await ask(site.base, '/writes', { headers: { cookie } })).text).toBe('written')
      expect(await isOk()).toBe(true)
    },
  )
})

function isJson(headers: Reply['headers']): boolean {
  return String(headers['content-type']).startsWith('application/problem+json')
}

/** The request's id on a page, which may also repeat its own address. */
function idOnPage(text: string): string | undefined {
  return /[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}/.exec(text.replaceAll(NOBODYS_ID, ''))?.[0]
}

/** The request's id in a problem that is exactly as documented. */
function problemIn(text: string, status: number): string {
  const code = status === 503 ? 'store_unavailable' : 'internal'
  const problem: { requestId: string } = JSON.parse(text)
  const expected = {
    type: `urn:guildhall:problem:${code}`,
    title: expect.any(String),
    status,
    code,
    detail: expect.any(String),
    requestId: expect.any(String),
  }
  expect(problem).toEqual(expected)
  return problem.requestId
}
