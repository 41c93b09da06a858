// PostgreSQL stops, hangs, is cut off and comes back: every answer is in time and true.
import { createServer } from 'node:http'
import express from 'express'
import { createMembership } from 'guildhall'
import pg from 'pg'
import { afterAll, beforeAll, beforeEach, describe, expect, onTestFinished, test } from 'vitest'
import { countRows, inDatabase } from '../support/artifacts.ts'
import { describeOnPostgres, makeDatabase, onServer, type TestDatabase } from '../support/postgres.ts'
import { CHEAP_HASHES, listen, openSite, portOf, type Site } from '../support/site.ts'
import { TcpProxy } from '../support/tcp-proxy.ts'
import { until } from '../support/until.ts'
import { type Answer, GOOD_PASSWORD, Visitor } from '../support/visitor.ts'

/** The deadline of a call is 500 ms (test/database/timeout.test.ts); only a request that waits for its store takes so long. */
const MAX_MS = 20_000

declare module 'guildhall/session' {
  interface SessionData {
    visits?: number
  }
}

let database: TestDatabase
let proxy: TcpProxy
let site: Site
let names = 0

async function openBehindProxy(): Promise<Site> {
  return openSite({
    database: proxy.urlOf(database.url),
    routes: (app, { membership }) => {
      app.get('/diary', membership.requireLogin, (req, res) => void res.send(`Dear ${req.user?.username}`))
      app.get('/count', (req, res) => {
        req.session.visits = (req.session.visits ?? 0) + 1
        res.send(`visit ${req.session.visits}`)
      })
      app.get('/who', (req, res) => void res.send(req.session.isLoggedIn ? 'a member' : 'nobody'))
    },
  })
}

async function member(): Promise<Visitor> {
  const visitor = site.visitor()
  names++
  expect((await visitor.register(`member-${names}`)).status).toBe(201)
  return visitor
}

type StoreRequest = readonly [string, (visitor: Visitor) => Promise<Answer>]

/** Everything that needs the store. */
const STORE_REQUESTS: readonly StoreRequest[] = [
  ['a page', (visitor) => visitor.get('/profile')],
  ['the security page', (visitor) => visitor.get('/account/security')],
  ['the API', (visitor) => visitor.api('/profile')],
  ['a change', (visitor) => visitor.api('/profile', { displayName: 'Other' })],
  ['a login in JSON', (visitor) => visitor.logIn('member-1')],
  ['a login by form', (visitor) => visitor.form('/login', { username: 'member-1', password: GOOD_PASSWORD })],
  ['a registration', (visitor) => visitor.register(`newcomer-${names++}`)],
  ["the host's page behind a guard", (visitor) => visitor.get('/diary')],
  ["the host's page that writes", (visitor) => visitor.get('/count')],
  ["the host's page that asks who is there", (visitor) => visitor.get('/who')],
]
const WAYS_OUT: readonly StoreRequest[] = [
  ['a logout in JSON', (visitor) => visitor.api('/logout', {})],
  ['a logout by form', (visitor) => visitor.form('/logout', {})],
]

async function expectTurnedAway(visitor: Visitor, ask: (visitor: Visitor) => Promise<Answer>): Promise<void> {
  const began = performance.now()
  const answer = await ask(visitor)
  const ms = performance.now() - began
  expect([answer.status, answer.headers.get('retry-after'), answer.setCookies]).toEqual([503, '1', []])
  expect(ms).toBeLessThan(MAX_MS)
}

async function expectBack(visitor: Visitor): Promise<void> {
  await until(async () => (await visitor.api('/profile')).status === 200)
}

const FAULTS: readonly (readonly [string, () => unknown])[] = [
  ['refuses connections', () => proxy.refuse()],
  ['takes connections and says nothing', () => proxy.stall()],
  [
    'cut every connection and says nothing',
    () => {
      proxy.cut()
      proxy.stall()
    },
  ],
  ['answers two seconds late', () => proxy.delay(2000)],
]

describeOnPostgres('a store that fails', () => {
  beforeAll(async () => {
    database = await makeDatabase()
    proxy = await TcpProxy.before(database.url)
    site = await openBehindProxy()
  })

  beforeEach(() => proxy.restore())

  afterAll(async () => {
    await site.close()
    await proxy.close()
    await database.drop()
  })

  describe.each(FAULTS)('F-10 F-11 PostgreSQL %s', (_, fail) => {
    test('everything answers 503 with Retry-After in time, and the member is a member again by themselves afterwards', async () => {
      const visitor = await member()
      const leaver = await member()
      await fail()
      for (const [name, ask] of STORE_REQUESTS) await expect(expectTurnedAway(visitor, ask), name).resolves.toBeUndefined()
      for (const [name, ask] of WAYS_OUT) await expect(expectTurnedAway(leaver, ask), name).resolves.toBeUndefined()
      expect(await leaver.sessionId()).toBeDefined()
      await proxy.restore()
      await expectBack(visitor)
    })

    test('a hundred requests at once wait no longer than one', async () => {
      const visitor = await member()
      await fail()
      await Promise.all(Array.from({ length: 100 }, () => expectTurnedAway(visitor, (who) => who.api('/profile'))))
      await proxy.restore()
      await expectBack(visitor)
    })

    test('a visitor who only opens the login page is served', async () => {
      await member()
      await fail()
      expect((await site.visitor().get('/login')).status).toBe(200)
    })
  })

  test('F-10 no login is claimed while the store is away, and none comes to light afterwards', async () => {
    await member()
    const visitor = site.visitor()
    await proxy.refuse()
    await expectTurnedAway(visitor, (who) => who.logIn(`member-${names}`))
    await proxy.restore()
    expect(await visitor.sessionId()).toBeUndefined()
    expect((await visitor.api('/profile')).status).toBe(401)
    expect((await visitor.logIn(`member-${names}`)).status).toBe(200)
  })

  test('F-14 no logout is claimed: the cookie stays, and the next try ends the session for good', async () => {
    const visitor = await member()
    const id = await visitor.sessionId()
    proxy.stall()
    await expectTurnedAway(visitor, (who) => who.api('/logout', {}))
    await expect(site.membership.users.endSessions(`member-${names}`)).rejects.toMatchObject({ code: 'store_unavailable' })
    await proxy.restore()
    expect(await visitor.sessionId()).toBe(id)
    expect((await visitor.api('/logout', {})).status).toBe(204)
    await visitor.jar.setCookie(`guildhall=${id}`, site.base)
    expect((await visitor.api('/profile')).status).toBe(401)
  })

  test.each([false, true])(
    'F-10 a login whose session may or may not have been stored (heard: %s) is none',
    async (delivered) => {
      await member()
      const visitor = site.visitor()
      proxy.cutAt('INSERT INTO guildhall_sessions', { delivered })
      await expectTurnedAway(visitor, (who) => who.logIn(`member-${names}`))
      await proxy.restore()
      expect(await visitor.sessionId()).toBeUndefined()
      expect((await visitor.logIn(`member-${names}`)).status).toBe(200)
    },
  )

  test('F-10 a page of the host whose session could not be saved says so, and the member stays one', async () => {
    const visitor = await member()
    await visitor.get('/count')
    proxy.cutAt('UPDATE guildhall_sessions SET data', { delivered: false })
    await expectTurnedAway(visitor, (who) => who.get('/count'))
    await proxy.restore()
    expect((await visitor.get('/count')).text).toBe('visit 2')
  })

  test('F-11 a registration whose COMMIT nobody heard made nothing at all', async () => {
    proxy.cutAt('COMMIT', { delivered: false })
    await expectTurnedAway(site.visitor(), (who) => who.register('unheard'))
    await proxy.restore()
    expect(await inDatabase(pastProxy(), "SELECT id FROM guildhall_users WHERE username_key = 'unheard'")).toEqual([])
    expect(await countRows(pastProxy(), 'users')).toBe(await countRows(pastProxy(), 'credentials'))
    expect((await site.visitor().register('unheard')).status).toBe(201)
  })

  test('F-11 a registration whose answer was lost made one whole account and no login; the person logs in', async () => {
    const visitor = site.visitor()
    proxy.cutAt('COMMIT', { delivered: true })
    await expectTurnedAway(visitor, (who) => who.register('halfheard'))
    await proxy.restore()
    expect(await visitor.sessionId()).toBeUndefined()
    expect(await inDatabase(pastProxy(), "SELECT id FROM guildhall_users WHERE username_key = 'halfheard'")).toHaveLength(1)
    expect(await countRows(pastProxy(), 'users')).toBe(await countRows(pastProxy(), 'credentials'))
    expect((await visitor.register('halfheard')).status).toBe(409)
    expect((await visitor.logIn('halfheard')).status).toBe(200)
  })

  test('F-11 connections that the server ends, idle or at work, end no process and are replaced', async () => {
    const visitor = await member()
    for (let round = 0; round < 3; round++) {
      const asked = Array.from({ length: 20 }, () => visitor.api('/profile'))
      await onServer(
        'SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()',
        database.url,
      )
      for (const { status } of await Promise.all(asked)) expect([200, 503]).toContain(status)
      await expectBack(visitor)
    }
  })

  test('F-11 a row that somebody holds: 503 in time, and nothing is written after the visitor was told so', async () => {
    const visitor = await member()
    const release = await lockUsers()
    await expectTurnedAway(visitor, (who) => who.register('behind-a-lock'))
    await release()
    await expectBack(visitor)
    expect(await inDatabase(pastProxy(), "SELECT id FROM guildhall_users WHERE username_key = 'behind-a-lock'")).toEqual([])
  })

  test('F-11 a login that the store was too slow to judge is no guess: nobody is locked out by it', async () => {
    const limited = await openSite({ database: database.url, rateLimit: true })
    onTestFinished(() => limited.close())
    expect((await limited.visitor().register('patient')).status).toBe(201)
    const release = await lockUsers()
    for (let round = 0; round < 2; round++) {
      const tries = await Promise.all(Array.from({ length: 3 }, () => limited.visitor().logIn('patient')))
      expect(tries.map(({ status }) => status)).toEqual([503, 503, 503])
    }
    await release()
    expect((await limited.visitor().logIn('patient')).status).toBe(200)
    for (let guess = 0; guess < 5; guess++) {
      expect((await limited.visitor().api('/login', { username: 'patient', password: 'not the password' })).status).toBe(401)
    }
    expect((await limited.visitor().logIn('patient')).status).toBe(429)
  })

  test('F-16 a second process serves the sessions of the first, also when the first is gone', async () => {
    const first = await openBehindProxy()
    const visitor = first.visitor()
    await visitor.register('wanderer')
    const id = await visitor.sessionId()
    await first.close()
    const other = site.visitor()
    await other.jar.setCookie(`guildhall=${id}`, site.base)
    expect((await other.api('/profile')).json()).toMatchObject({ user: { username: 'wanderer' } })
  })

  test('F-10 a process that is started while its store is away answers 503, and serves when the store is back', async () => {
    const app = express()
    const server = await listen(createServer(app))
    const baseUrl = `http://localhost:${portOf(server)}`
    const logger = { debug() {}, info() {}, warn() {}, error() {} }
    const membership = createMembership({ baseUrl, database: proxy.urlOf(database.url), passwords: CHEAP_HASHES, logger })
    app.use(membership)
    await proxy.refuse()
    await expect(membership.migrate()).rejects.toMatchObject({ code: 'store_unavailable' })
    const visitor = new Visitor(baseUrl)
    await expectTurnedAway(visitor, (who) => who.get('/login'))
    await expectTurnedAway(visitor, (who) => who.get('/elsewhere'))
    await proxy.restore()
    expect((await visitor.get('/login')).status).toBe(200)
    server.close()
    await membership.close()
  })
})

/** Somebody holds the table until the test lets it go. */
async function lockUsers(): Promise<() => Promise<void>> {
  const somebody = new pg.Client({ connectionString: database.url })
  await somebody.connect()
  await somebody.query('BEGIN; LOCK TABLE guildhall_users IN ACCESS EXCLUSIVE MODE')
  return () => somebody.end()
}

function pastProxy(): { readonly database: string } {
  return { database: database.url }
}
