// A session id cannot be guessed, chosen, stolen from the database or carried over a login.
import { describe, expect, test } from 'vitest'
import { digest, newToken } from '../../src/domain/secret.ts'
import { bytesAtRest, countRows, sessionRows, siteOfTest } from '../support/artifacts.ts'
import { hasRow, idOf, memberOf, statusWith } from '../support/members.ts'
import { ON_POSTGRES, ON_REDIS, type SiteOptions } from '../support/site.ts'
import { surplus } from '../support/statistics.ts'
import { type Answer, rawGet, type Visitor } from '../support/visitor.ts'

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'

/** A host that keeps a cart for strangers and members alike. */
const withCart: SiteOptions = {
  routes: (app) => {
    app.post('/cart', (req, res) => {
      Object.assign(req.session, { cart: 'two owls', note: 'planted by the one before' })
      res.json({})
    })
    app.get('/cart', (req, res) => {
      res.json({ ...req.session, who: req.session.username ?? null })
    })
  },
}

/** A login that a busy database refuses with 503 leaves all as it was: it is asked for again. Any other refusal fails the test. */
async function served(ask: () => Promise<Answer>): Promise<Answer> {
  const answer = await ask()
  if (answer.status === 503) return served(ask)
  expect(answer.status, answer.text).toBeLessThan(400)
  return answer
}

test('D-01 an id has 256 random bits: none comes twice, and no place in it leans to any character', async () => {
  const site = await siteOfTest()
  const { visitor } = await memberOf(site, 'anna')
  const real = new Set<string>()
  for (let n = 0; n < 200; n++) {
    await visitor.logIn('anna')
    real.add(await idOf(visitor))
  }
  expect(real.size).toBe(200)
  const ids = [...real, ...Array.from({ length: 10_000 }, newToken)]
  expect(new Set(ids).size).toBe(ids.length)
  for (const id of ids) expect(id).toMatch(/^[A-Za-z0-9_-]{43}$/)
  for (let at = 0; at < 43; at++) {
    // 42 characters of six bits and one of four.
    const possible = at < 42 ? [...ALPHABET] : [...ALPHABET].filter((_, n) => n % 4 === 0)
    const counts = new Map(possible.map((character) => [character, 0]))
    for (const id of ids) counts.set(id[at] ?? '', (counts.get(id[at] ?? '') ?? Number.NaN) + 1)
    expect(counts.size).toBe(possible.length)
    expect(surplus([...counts.values()])).toBeLessThan(5.2) // One false alarm in ten million.
  }
  const share = ids.slice(0, 1000).reduce((sum, id) => sum + bitsOf(id), 0) / (1000 * 256)
  expect(Math.abs(share - 0.5)).toBeLessThan(0.006) // Six standard deviations.
})

function bitsOf(id: string): number {
  return Buffer.from(id, 'base64url').reduce((sum, byte) => sum + byte.toString(2).replaceAll('0', '').length, 0)
}

describe('fixation', () => {
  test('D-02 a login gives a new id, and the one that came with it is dead, anonymous or of another member', async () => {
    const site = await siteOfTest(withCart)
    await served(() => site.visitor().register('anna'))
    const ways = {
      login: (visitor: Visitor) => visitor.logIn('anna'),
      form: (visitor: Visitor) => visitor.form('/login', { username: 'anna', password: 'granite lantern ferry' }),
      registration: (visitor: Visitor) => visitor.register('berta'),
    }
    for (const [way, logIn] of Object.entries(ways)) {
      const visitor = site.visitor()
      await served(() => visitor.form('/cart', {}))
      const planted = await idOf(visitor)
      expect([way, await hasRow(site, planted)]).toEqual([way, true])
      await served(() => logIn(visitor))
      const own = await idOf(visitor)
      expect(own).not.toBe(planted)
      expect([way, await statusWith(site, own), await statusWith(site, planted)]).toEqual([way, 200, 401])
      expect(await hasRow(site, planted)).toBe(false)
      const stranger = await rawGet(site.base, '/cart', `guildhall=${planted}`)
      expect(stranger.json()).toEqual({ who: null })
    }
  })

  test('D-02 D-03 a member who logs in again or confirms the password leaves the old id dead too', async () => {
    const site = await siteOfTest()
    const { visitor, id } = await memberOf(site, 'anna')
    await visitor.logIn('anna')
    const second = await idOf(visitor)
    expect((await visitor.api('/reauthenticate', { password: 'granite lantern ferry' })).status).toBe(204)
    const third = await idOf(visitor)
    await visitor.register('berta')
    const fourth = await idOf(visitor)
    expect(new Set([id, second, third, fourth]).size).toBe(4)
    for (const dead of [id, second, third]) expect(await statusWith(site, dead)).toBe(401)
    expect(await statusWith(site, fourth)).toBe(200)
    await visitor.api('/logout', {})
    expect(await statusWith(site, fourth)).toBe(401)
    expect(await countRows(site, 'sessions')).toBe(0)
  })

  test('D-04 data of an anonymous session is gone after the login, except what the site keeps', async () => {
    for (const [keepAtLogin, kept] of [
      [[], {}],
      [['cart'], { cart: 'two owls' }],
    ] as const) {
      const site = await siteOfTest({ ...withCart, session: { keepAtLogin } })
      await served(() => site.visitor().register('anna'))
      for (const logIn of [(visitor: Visitor) => visitor.logIn('anna'), (visitor: Visitor) => visitor.register('berta')]) {
        const visitor = site.visitor()
        await served(() => visitor.form('/cart', {}))
        await served(() => logIn(visitor))
        const { who, ...data } = (await served(() => visitor.get('/cart'))).json()
        expect([typeof who, data]).toEqual(['string', kept])
      }
    }
  })

  test('D-05 an id that a visitor made up is never taken over', async () => {
    const site = await siteOfTest(withCart)
    await site.visitor().register('anna')
    for (const chosen of [newToken(), 'A'.repeat(43), 'attackerchosen', digest('x')]) {
      const headers = { cookie: `guildhall=${chosen}` }
      expect((await rawGet(site.base, '/api/profile', headers.cookie)).status).toBe(401)
      for (const [path, body] of [
        ['/api/login', { username: 'anna', password: 'granite lantern ferry' }],
        ['/cart', {}],
      ] as const) {
        const init = { method: 'POST', headers: { ...headers, 'content-type': 'application/json' }, body: JSON.stringify(body) }
        const answer = await site.visitor().send(path, init)
        expect([answer.status, answer.setCookies.map((line) => line.split('=')[0])]).toEqual([
          200,
          ['guildhall', 'guildhall-seen'],
        ])
        expect(answer.setCookies.join()).not.toContain(chosen)
      }
      expect(await hasRow(site, chosen)).toBe(false)
      expect(await statusWith(site, chosen)).toBe(401)
    }
  })
})

describe('anonymous visitors', () => {
  test('D-06 thousands of made-up ids make no row', async () => {
    const site = await siteOfTest(withCart)
    await memberOf(site, 'anna')
    for (let n = 0; n < (ON_POSTGRES || ON_REDIS ? 250 : 2500); n++) {
      // Four to a request: each of them is looked up.
      const ids = Array.from({ length: 4 }, () => `guildhall=${newToken()}`).join('; ')
      const { status, setCookies } = await rawGet(site.base, n % 2 === 0 ? '/cart' : '/login', ids)
      expect([status, setCookies]).toEqual([200, []])
    }
    expect(await countRows(site, 'sessions')).toBe(1)
  })

  test('D-07 a visitor who only looks around gets no cookie and makes no row', async () => {
    const site = await siteOfTest(withCart)
    const paths = ['/login', '/register', '/logout', '/profile', '/account/security', '/api/profile', '/nowhere', '/cart']
    for (let n = 0; n < 1000; n++) {
      const { setCookies } = await site.visitor().get(paths[n % paths.length] ?? '')
      expect(setCookies).toEqual([])
    }
    for (const path of ['/login', '/register', '/logout']) {
      const refused = await site.visitor().form(path, {})
      // Logging out clears what may be there; it makes nothing.
      if (path !== '/logout') expect(refused.setCookies).toEqual([])
    }
    expect(await countRows(site, 'sessions')).toBe(0)
  })
})

describe('at rest', () => {
  test('D-15 a hundred live ids are nowhere in the bytes of the database', async () => {
    const site = await siteOfTest(withCart)
    const ids = []
    for (let n = 0; n < 100; n++) {
      const { visitor, id } = await memberOf(site, `person-${n}`)
      await visitor.form('/cart', {})
      ids.push(id)
    }
    const bytes = await bytesAtRest(site)
    for (const id of ids) {
      expect(await statusWith(site, id)).toBe(200)
      expect(bytes).toContain(digest(id))
      expect(bytes).not.toContain(id)
      expect(bytes).not.toContain(Buffer.from(id, 'base64url').toString('latin1'))
      expect(bytes).not.toContain(Buffer.from(id, 'base64url').toString('hex'))
    }
  })

  test('D-16 nothing in a stolen row can be used as a cookie', async () => {
    const site = await siteOfTest()
    const { id } = await memberOf(site, 'anna')
    const [row = {}] = await sessionRows(site)
    for (const value of Object.values(row)) expect(await statusWith(site, String(value))).toBe(401)
    expect(await statusWith(site, String(row.hash).padEnd(43, 'A'))).toBe(401)
    expect(await statusWith(site, id)).toBe(200)
  })

  test('D-36 an id with any one character changed is nobody', async () => {
    const site = await siteOfTest()
    const { id } = await memberOf(site, 'anna')
    for (let at = 0; at < id.length; at++) {
      for (const step of [1, 2, 32]) {
        const other = ALPHABET[(ALPHABET.indexOf(id[at] ?? '') + step) % ALPHABET.length]
        expect(await statusWith(site, `${id.slice(0, at)}${other}${id.slice(at + 1)}`)).toBe(401)
      }
      expect(await statusWith(site, id.slice(0, at))).toBe(401)
    }
    expect(await statusWith(site, id)).toBe(200)
  })
})
