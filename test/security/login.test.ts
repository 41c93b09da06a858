// Login reveals no accounts, takes nothing but texts, and cannot be reached around its limits.
import express from 'express'
import { describe, expect, test } from 'vitest'
import { createMembership } from '../../src/membership.ts'
import { countRows, inDatabase, siteOfTest } from '../support/artifacts.ts'
import { sendRaw } from '../support/raw.ts'
import type { Site } from '../support/site.ts'
import { type Answer, GOOD_PASSWORD } from '../support/visitor.ts'

/** Two people, one of them suspended. Names of one length, so that answers that repeat them can be compared. */
async function siteWithPeople(options: Parameters<typeof siteOfTest>[0] = {}): Promise<Site> {
  const site = await siteOfTest(options)
  for (const username of ['active-anna', 'closed-cora', 'no-password']) await site.visitor().register(username)
  await inDatabase(site, "UPDATE guildhall_users SET status = 'suspended' WHERE username = 'closed-cora'")
  await inDatabase(
    site,
    "DELETE FROM guildhall_credentials WHERE user_id = (SELECT id FROM guildhall_users WHERE username = 'no-password')",
  )
  return site
}

/** An answer without what differs from request to request: the time, the request's id, the name that was typed. */
function comparable({ status, headers, text, setCookies }: Answer, username: string) {
  const body = text.replace(/"requestId":"[^"]+"/, '').replaceAll(username, 'NAME')
  return { status, headers: [...headers].filter(([name]) => name !== 'date'), setCookies, body }
}

describe('enumeration', () => {
  test('B-01 an unknown name, a suspended account, one without a password and a wrong password get the same answer at both endpoints', async () => {
    const site = await siteWithPeople({ rateLimit: true, trustProxy: 1 })
    const tries = [
      ['nobody-here', GOOD_PASSWORD],
      ['active-anna', 'wrong, all wrong'],
      ['closed-cora', GOOD_PASSWORD],
      ['closed-cora', 'wrong, all wrong'],
      ['no-password', GOOD_PASSWORD],
      // Nobody can have this name.
      ['not a n@me!', GOOD_PASSWORD],
    ] as const
    for (const [endpoint, path] of [
      ['api', '/login'],
      ['form', '/login'],
      ['form', '/login?returnTo=/x'],
    ] as const) {
      site.clock.forward('1h') // The tries at one endpoint are not to count at the next.
      const answers = []
      for (const [n, [username, password]] of tries.entries()) {
        const extra = { headers: { 'x-forwarded-for': `10.${n}.0.1` } }
        answers.push(comparable(await site.visitor()[endpoint](path, { username, password }, extra), username))
      }
      expect([answers[0]?.status, answers[0]?.setCookies]).toEqual([401, []])
      for (const answer of answers) expect(answer).toEqual(answers[0])
    }
  })

  test('B-01 the sixth try is refused alike, whether the account exists, is suspended or does not', async () => {
    const site = await siteWithPeople({ rateLimit: true, trustProxy: 1 })
    const sixth = []
    for (const [n, username] of ['nobody-here', 'active-anna', 'closed-cora', 'no-password'].entries()) {
      const from = (m: number) => ({ headers: { 'x-forwarded-for': `10.1.${n}.${m}` } })
      for (let m = 0; m < 5; m++) await site.visitor().api('/login', { username, password: 'wrong, all wrong' }, from(m))
      sixth.push(comparable(await site.visitor().api('/login', { username, password: GOOD_PASSWORD }, from(6)), username))
    }
    expect(sixth[0]?.status).toBe(429)
    for (const other of sixth) expect(other).toEqual(sixth[0])
  })
})

describe('paths', () => {
  test('B-16 another spelling of a path reaches neither the login behind its limit nor a page behind its guard', async () => {
    const site = await siteOfTest({
      rateLimit: true,
      routes: (app, { membership }) => app.get('/diary', membership.requireLogin, (_req, res) => void res.send('dear diary')),
    })
    const member = site.visitor()
    await member.register('anna')
    for (let n = 0; n < 6; n++) await site.visitor().logIn('anna', 'wrong, all wrong')
    const before = site.core.passwords.stats.done
    const body = JSON.stringify({ username: 'anna', password: GOOD_PASSWORD })
    const spell = (path: string) => {
      const [, ...parts] = path.split('/')
      const name = parts.at(-1) ?? ''
      const folder = `/${parts.slice(0, -1).join('/')}${parts.length > 1 ? '/' : ''}`
      const encoded = `%${name.charCodeAt(0).toString(16)}${name.slice(1)}`
      const names = [
        `${name}/`,
        name.toUpperCase(),
        encoded,
        `${name};x`,
        `./${name}`,
        `${name}%00`,
        `${name}%2f`,
        `x/../${name}`,
      ]
      const others = [`${name}.json`, `${name}?x`, `${name}#x`, `/${name}`, `${name}//`, `${name}%20`, `\\${name}`, `${name}/.`]
      return [path, `/${path}`, `${path}:`, `http://evil.example${path}`, ...[...names, ...others].map((end) => folder + end)]
    }
    for (const path of spell('/api/login')) {
      const answer = await sendRaw(site.base, { method: 'POST', path, headers: ['Content-Type: application/json'], body })
      expect([400, 404, 429], path).toContain(answer.status)
      expect(answer.head.toLowerCase()).not.toContain('set-cookie')
    }
    for (const path of [
      ...spell('/api/profile'),
      ...spell('/api/account/sessions'),
      ...spell('/diary'),
      ...spell('/account/security'),
    ]) {
      const answer = await sendRaw(site.base, { path })
      // With a slash at its end it is led to the path that is guarded.
      expect([303, 400, 401, 404, ...(path.endsWith('/') ? [308] : [])], path).toContain(answer.status)
      expect(answer.body).not.toMatch(/dear diary|"sessions"/)
    }
    expect(site.core.passwords.stats.done - before).toBe(0)
  })

  test('Z-03 no header, query or field says who somebody is, or that a guard has let them through', async () => {
    const site = await siteOfTest({
      routes: (app, { membership }) => app.all('/diary', membership.requireLogin, (_req, res) => void res.send('dear diary')),
    })
    const { user } = (await site.visitor().register('anna')).json<{ user: { id: string } }>()
    const claims = {
      'x-user-id': user.id,
      'x-forwarded-user': 'anna',
      'x-remote-user': 'anna',
      'x-original-url': '/login',
      'x-rewrite-url': '/login',
      'x-middleware-subrequest': 'middleware:middleware:middleware',
      authorization: `Bearer ${user.id}`,
    }
    for (const path of ['/api/profile', '/diary', '/api/account/sessions']) {
      const asked = `${path}?userId=${user.id}&username=anna&isLoggedIn=true`
      const read = await site.visitor().send(asked, { headers: { ...claims, accept: 'application/json' } })
      expect([path, read.status]).toEqual([path, 401])
    }
    expect((await site.visitor().send('/account/security', { headers: claims })).location).toMatch(/^\/login/)
    const headers = { ...claims, accept: 'application/json', 'content-type': 'application/json' }
    const body = JSON.stringify({ userId: user.id, user, displayName: 'stolen', isLoggedIn: true })
    for (const path of ['/api/profile', '/diary'])
      expect([path, (await site.visitor().send(path, { method: 'POST', headers, body })).status]).toEqual([path, 401])
  })
})

describe('types', () => {
  const strange: readonly unknown[] = [
    { $ne: null },
    { $gt: '' },
    ['anna'],
    ['anna', 'anna'],
    [],
    1,
    0,
    true,
    false,
    null,
    {},
    { toString: 'x' },
    { length: 5 },
  ]

  test('B-19 a name or a password that is no text is refused before any hash, at every endpoint', async () => {
    const nested = express.urlencoded({ extended: true })
    for (const site of [await siteWithPeople(), await siteWithPeople({ before: (app) => app.use(express.json(), nested) })]) {
      const member = site.visitor()
      await member.register('berta')
      const before = site.core.passwords.stats.done
      for (const value of strange) {
        for (const fields of [
          { username: value, password: GOOD_PASSWORD },
          { username: 'active-anna', password: value },
        ]) {
          for (const path of ['/login', '/register']) {
            const refused = await site.visitor().api(path, fields)
            expect([path, fields, refused.status, refused.json().code]).toEqual([path, fields, 422, 'invalid_input'])
          }
        }
        expect((await member.api('/reauthenticate', { password: value })).status).toBe(422)
        if (value !== null) expect((await member.api('/profile', { displayName: value })).status).toBe(422)
      }
      // A host with a strict parser of its own answers 400 before us.
      for (const body of ['[]', 'null', '1', '"text"', '[{"username":"active-anna"}]']) {
        expect([400, 422]).toContain((await site.visitor().api('/login', body)).status)
      }
      const forms = [
        'username=active-anna&password[$ne]=x',
        'username[]=active-anna&username[]=b&password=x',
        'username[$ne]=&password[$gt]=',
      ]
      for (const form of forms) expect((await site.visitor().form('/login', form)).status).toBe(422)
      expect(site.core.passwords.stats.done - before).toBe(0)
      expect(site.logs.filter(({ level }) => level === 'error')).toEqual([])
    }
  })

  test('B-20 a form field that comes twice is refused, and the query string never speaks for the body', async () => {
    const site = await siteWithPeople()
    const good = new URLSearchParams({ username: 'active-anna', password: GOOD_PASSWORD }).toString()
    for (const twice of [
      `username=active-cora&${good}`,
      `${good}&username=active-anna`,
      `${good}&password=x`,
      `${good}&remember=on&remember=on`,
    ]) {
      const refused = await site.visitor().form('/login', twice)
      expect([twice, refused.status, refused.setCookies]).toEqual([twice, 422, []])
    }
    expect((await site.visitor().form(`/login?${good}`, '')).status).toBe(422)
    expect((await site.visitor().api(`/login?${good}`, {})).status).toBe(422)
    expect((await site.visitor().api(`/login?${good}`, { username: 'active-anna', password: 'wrong, all wrong' })).status).toBe(
      401,
    )
    const byBody = await site
      .visitor()
      .api('/login?username=closed-cora&password=x', { username: 'active-anna', password: GOOD_PASSWORD })
    expect([byBody.status, byBody.json()]).toMatchObject([200, { user: { username: 'active-anna' } }])
    // JSON has one rule for a name that comes twice, everywhere: the last one counts (ECMA-262 25.5.1).
    const last = await site
      .visitor()
      .api('/login', `{"username":"closed-cora","username":"active-anna","password":"${GOOD_PASSWORD}"}`)
    expect(last.json()).toMatchObject({ user: { username: 'active-anna' } })
  })
})

test('B-22 a new site has no accounts, and production starts neither without a secret nor with a short one', async () => {
  const site = await siteOfTest()
  expect([await countRows(site, 'users'), await countRows(site, 'credentials'), await countRows(site, 'sessions')]).toEqual([
    0, 0, 0,
  ])
  for (const username of ['admin', 'root', 'guest', 'guildhall']) {
    for (const password of ['admin', 'password', 'guildhall'])
      expect((await site.visitor().logIn(username, password)).status).toBe(401)
  }
  const options = { baseUrl: 'https://members.example', database: site.database }
  expect(() => createMembership(options)).toThrow(/secret is required in production/)
  expect(() => createMembership({ ...options, secret: '' })).toThrow(/secret must have 32 bytes or more/)
  expect(() => createMembership({ ...options, secret: 'changeme' })).toThrow(/secret must have 32 bytes or more/)
  expect(() => createMembership({ ...options, secret: ['x'.repeat(32), 'short'] })).toThrow(/secret must have 32 bytes or more/)
  expect(() => createMembership({ ...options, secret: [] })).toThrow(/secret is required in production/)
})
