// `userOf`: whose a session is, on every store that comes with the package.

import { hash } from 'node:crypto'
import express from 'express'
import session, { type SessionStore } from 'guildhall/session'
import { PostgresStore } from 'guildhall/session/postgres'
import { RedisStore } from 'guildhall/session/redis'
import pg from 'pg'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { describeOnPostgres, makeDatabase, type TestDatabase } from '../support/postgres.ts'
import { describeOnRedis, makeRedis, type TestRedis } from '../support/redis.ts'
import { Browser, STORES, serve } from './support.ts'

async function open(store: SessionStore) {
  const app = express()
  app.use(session({ store, warn: () => {}, userOf: ({ userId }) => userId }))
  app.get('/in/:user', async (req, res) => {
    await req.session.regenerate()
    Object.assign(req.session, { userId: req.params.user })
    await req.session.save()
    res.end()
  })
  app.get('/careless/:user', async (req, res, next) => {
    Object.assign(req.session, { userId: req.params.user })
    await req.session.save().then(() => res.end(), next)
  })
  app.get('/visit', (req, res) => {
    Object.assign(req.session, { views: 1 })
    res.end()
  })
  app.get('/who', (req, res) => res.json(Reflect.get(req.session, 'userId') ?? null))
  app.get('/walk', (req, res, next) => req.sessionStore.all?.((error) => (error ? next(error) : res.end())))
  app.get('/end/:id', (req, res, next) => {
    const id = req.params.id === 'undefined' ? Reflect.get({}, 'id') : req.params.id
    req.sessionStore.destroy?.(id, (error) => (error ? next(error) : res.end()))
  })
  app.get('/out-elsewhere/:user', async (req, res) => {
    const except = hash('sha256', req.sessionID, 'base64url')
    res.json([(await store.listByUser(req.params.user)).length, await store.deleteByUser(req.params.user, { except })])
  })
  const url = await serve(app)
  return () => new Browser(url)
}

async function logOutElsewhere(store: SessionStore): Promise<void> {
  const browser = await open(store)
  const [desk, phone, other] = [browser(), browser(), browser()]
  for (const device of [desk, phone]) await device.get('/in/anna')
  await other.get('/in/bea')
  expect((await desk.get('/out-elsewhere/anna')).text).toBe('[2,1]')
  expect([(await desk.get('/who')).text, (await phone.get('/who')).text, (await other.get('/who')).text]).toEqual([
    '"anna"',
    'null',
    '"bea"',
  ])
}

const DEVICES = 'somebody logs their other devices out, and nobody else'

test.each(STORES)(`on %s, ${DEVICES}`, (_name, makeStore) => logOutElsewhere(makeStore()))

describeOnPostgres('PostgreSQL', () => {
  let database: TestDatabase
  let pool: pg.Pool
  beforeAll(async () => {
    database = await makeDatabase()
    pool = new pg.Pool({ connectionString: database.url })
  })
  afterAll(async () => {
    await pool.end()
    await database.drop()
  })

  test(DEVICES, async () => {
    const store = new PostgresStore({ pool })
    await store.migrate()
    await logOutElsewhere(store)
  })
})

describeOnRedis('Redis', () => {
  let redis: TestRedis
  beforeAll(async () => {
    redis = await makeRedis()
  })
  afterAll(() => redis.drop())

  test(DEVICES, () => logOutElsewhere(new RedisStore(redis)))

  test('code that reads all sessions is told how to list those of a user', async () => {
    const visitor = (await open(new RedisStore(redis)))()
    expect((await visitor.get('/walk')).text).toContain('store.deleteByUser(userId)')
  })
})

test.each(STORES)('on %s, code that destroys each of all sessions is told how to, and ends none', async (_name, makeStore) => {
  const visitor = (await open(makeStore()))()
  await visitor.get('/in/anna')
  for (const id of ['0', 'undefined']) {
    const answer = await visitor.get(`/end/${id}`)
    expect([answer.status, answer.text]).toEqual([500, expect.stringMatching(/no session id.*store\.deleteByUser\(userId\)/)])
  }
  expect((await visitor.get('/who')).text).toBe('"anna"')
})

test.each(STORES)('on %s, code that gives an anonymous session a user is told to regenerate it', async (_name, makeStore) => {
  const visitor = (await open(makeStore()))()
  await visitor.get('/visit')
  const answer = await visitor.get('/careless/anna')
  expect([answer.status, answer.text]).toEqual([500, expect.stringContaining('await req.session.regenerate() at the login')])
})
