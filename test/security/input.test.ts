// 1.I: fields and bodies that attack queries, parsers and prototypes, at every write: I-01 to I-03, B-19, I-14.
import { describe, expect, test } from 'vitest'
import { GOOD_PASSWORD } from '../support/visitor.ts'
import { heapInUse } from './heap.ts'
import { bodyFor, LEAK, writesOf } from './site-map.ts'
import { attackedSite, TARGET_NAMES } from './targets.ts'
import { abortedUpload, ask } from './wire.ts'

describe.each(TARGET_NAMES)('%s', (target) => {
  const { site, cookie, send, at, logInAgain } = attackedSite(target)

  test('I-01 a quote in any field of any route finds no SQL to end', { timeout: 60_000 }, async () => {
    const payloads = [
      "'",
      '"',
      "';--",
      "' OR '1'='1",
      "') OR 1=1--",
      '`',
      "\\'",
      "'||(SELECT 1)||'",
      '%27',
      'a\u0000b',
      '1; DROP TABLE guildhall_users;--',
      '?1',
      ':id',
      '$1',
    ]
    for (const { path, endpoint, input } of writesOf(site())) {
      for (const field of [...Object.keys(input), 'id', 'userId', 'notice'])
        for (const payload of payloads) {
          const { type, body } = bodyFor(endpoint, { ...input, [field]: payload })
          const reply = await send(path, type, body)
          expect([path, field, payload, reply.status < 500]).toEqual([path, field, payload, true])
          expect(reply.text).not.toMatch(LEAK)
        }
    }
    for (const payload of payloads) {
      const id = encodeURIComponent(payload)
      const query = `?returnTo=${id}&notice=${id}&id=${id}`
      for (const path of [`/account/sessions/${id}/end`, `/api/account/sessions/${id}/end`])
        expect((await send(at(path), 'application/json', '{}')).status).toBeLessThan(500)
      for (const path of ['/login', '/profile', '/account/security', '/api/account/sessions'])
        expect((await ask(site().base, at(path) + query, { headers: { cookie: cookie() } })).status).toBeLessThan(500)
      const badCookie = `guildhall=${payload.replace(/[^\x20-\x7e]/g, '')}; guildhall-language='`
      const malformed = {
        cookie: badCookie,
        'user-agent': payload.replace(/\0/g, ''),
        'accept-language': payload.replace(/\0/g, ''),
      }
      expect((await ask(site().base, at('/api/profile'), { headers: malformed })).status).toBe(401)
    }
    await logInAgain()
    expect((await ask(site().base, at('/api/profile'), { headers: { cookie: cookie() } })).status).toBe(200)
  })

  test('I-02 no body, form or query reaches a prototype', async () => {
    const json = [
      '{"__proto__":{"x":1,"polluted":1}}',
      '{"constructor":{"prototype":{"x":1}}}',
      '{"username":{"__proto__":{"x":1}}}',
      '{"__proto__":null}',
      '{"__proto__":{"username":"alice"}}',
    ]
    const form = [
      '__proto__[x]=1',
      '__proto__.x=1',
      '__proto__=1',
      'constructor[prototype][x]=1',
      'constructor=1',
      'a[__proto__][x]=1',
      '__proto__[]=1',
      'toString=1&hasOwnProperty=1&valueOf=1',
      '__proto__=1&__proto__=2',
    ]
    for (const { path, endpoint } of writesOf(site()))
      for (const body of endpoint === 'api' ? json : form) {
        const reply = await send(`${path}?${form.join('&')}`, bodyFor(endpoint, {}).type, body)
        expect([path, body, reply.status < 500]).toEqual([path, body, true])
        expect((await ask(site().base, '/probe')).text).toBe('{"x":null,"polluted":null}')
      }
    await logInAgain()
    // Inherited names are no input: nobody logs in by what a prototype holds.
    const inherited = await send(
      at('/api/login'),
      'application/json',
      `{"__proto__":{"username":"alice","password":"${GOOD_PASSWORD}"}}`,
    )
    expect(inherited.status).toBe(422)
  })

  test('I-03 oversized, overcrowded and deep bodies are refused early and cheaply', async () => {
    const deep = '['.repeat(10_000)
    const bodies: Record<'page' | 'api', string[]> = {
      page: [
        'x'.repeat(1_000_000),
        manyFields(100_000),
        `a${'[b]'.repeat(10_000)}=1`,
        'a[]=1&'.repeat(5000),
        '&'.repeat(15_000),
        manyFields(1500),
      ],
      api: [
        `{"username":"${'x'.repeat(1_000_000)}"}`,
        `{${Array.from({ length: 100_000 }, (_, n) => `"k${n}":1`).join()}}`,
        deep,
        deep + ']'.repeat(10_000),
        `${'{"a":'.repeat(10_000)}1${'}'.repeat(10_000)}`,
      ],
    }
    const writes = writesOf(site())
    const before = heapInUse()
    const slow: unknown[] = []
    for (const { path, endpoint } of writes)
      for (const body of bodies[endpoint]) {
        const began = process.threadCpuUsage()
        const reply = await send(path, bodyFor(endpoint, {}).type, body)
        const { user, system } = process.threadCpuUsage(began)
        const ms = (user + system) / 1000
        if (ms > 200) slow.push([path, body.slice(0, 20), ms])
        expect([path, body.slice(0, 20), reply.status]).toEqual([path, body.slice(0, 20), expect.toSatisfy(isRefusal)])
        expect(reply.text).not.toMatch(LEAK)
      }
    expect(slow).toEqual([])
    expect(heapInUse() - before).toBeLessThan(20_000_000)
    await logInAgain()
  })

  test('I-03 a body without a length is measured as it comes', async () => {
    for (const path of ['/api/login', '/login']) {
      const type = path === '/login' ? 'application/x-www-form-urlencoded' : 'application/json'
      const chunked = { 'transfer-encoding': 'chunked' }
      const fields = { username: 'alice', password: GOOD_PASSWORD, filler: 'x'.repeat(300_000) }
      const reply = await send(at(path), type, bodyFor(path === '/login' ? 'page' : 'api', fields).body, chunked)
      expect(reply.status).toBe(413)
    }
  })

  test('B-19 a field that comes twice or in another type is refused, and the query never replaces it', async () => {
    const form = 'application/x-www-form-urlencoded'
    const password = encodeURIComponent(GOOD_PASSWORD)
    for (const body of [
      `username=alice&username=bob&password=${password}`,
      `username=alice&username=alice&password=${password}`,
      `username[]=alice&password=${password}`,
      `username[a]=alice&password=${password}`,
      `password=${password}`,
      `username=alice&password=x&password=${password}`,
    ]) {
      const reply = await send(at('/login?username=alice&password=x'), form, body)
      expect([body, reply.status, reply.setCookies]).toEqual([body, 422, []])
    }
    for (const value of [null, 1, true, [], {}, ['alice'], { $ne: null }, { toString: 'alice' }, { length: 5 }])
      for (const field of ['username', 'password', 'remember', 'returnTo']) {
        const fields = { username: 'alice', password: GOOD_PASSWORD, [field]: value }
        const reply = await send(at('/api/login'), 'application/json', JSON.stringify(fields))
        const isOk = field === 'remember' && value === true
        expect([field, value, reply.status]).toEqual([field, value, isOk ? 200 : 422])
        if (isOk) await logInAgain()
      }
    const twice = await send(
      at('/api/login'),
      'application/json',
      `{"username":"nobody","username":"alice","password":"no","password":"${GOOD_PASSWORD}"}`,
    )
    expect(twice.status).toBe(200)
    await logInAgain()
  })

  test('two session cookies are tried in order, each by its own row', async () => {
    const dead = 'A'.repeat(43)
    const [live = ''] = cookie().slice('guildhall='.length).split(';')
    for (const header of [
      `guildhall=${dead}; guildhall=${live}`,
      `guildhall=${live}; guildhall=${dead}`,
      `guildhall=; ${cookie()}`,
      `__proto__=1; ${cookie()}`,
    ])
      expect([header, (await ask(site().base, at('/api/profile'), { headers: { cookie: header } })).status]).toEqual([
        header,
        200,
      ])
    for (const header of [
      `xguildhall=${live}`,
      `guildhall =${live}`,
      `guildhall=${live}x`,
      `GUILDHALL=${live}`,
      `guildhall="${live}"`,
      `a="; guildhall=${live.slice(1)}"`,
    ])
      expect([header, (await ask(site().base, at('/api/profile'), { headers: { cookie: header } })).status]).toEqual([
        header,
        401,
      ])
    const headers: [string, string][] = [
      ['cookie', `guildhall=${dead}`],
      ['cookie', cookie()],
    ]
    expect((await ask(site().base, at('/api/profile'), { headers })).status).toBe(200)
  })

  test('F-49 an upload that breaks off harms nobody', async () => {
    const uploads = Array.from({ length: 50 }, () => abortedUpload(site().base, at('/api/login'), 'application/json'))
    await Promise.all([...uploads, abortedUpload(site().base, at('/login'), 'application/x-www-form-urlencoded')])
    expect((await ask(site().base, at('/api/profile'), { headers: { cookie: cookie() } })).status).toBe(200)
  })

  test('I-14 a line break in a name makes no line in the log', async () => {
    const evil = 'a\n{"level":"info","message":"all is well"}'
    for (const path of ['/api/register', '/api/login', '/api/profile'])
      await send(at(path), 'application/json', JSON.stringify({ username: evil, password: GOOD_PASSWORD, displayName: evil }))
    await ask(site().base, at('/api/nothing%0a%7b%22level%22:%22info%22%7d'), {
      headers: { cookie: cookie(), 'user-agent': 'x\ty' },
    })
    expect(JSON.stringify(site().logs)).not.toContain('all is well')
    await logInAgain()
  })
})

function manyFields(count: number): string {
  return Array.from({ length: count }, (_, n) => `k${n}=1`).join('&')
}

function isRefusal(status: number): boolean {
  return status >= 400 && status < 500
}
