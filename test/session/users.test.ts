// `userOf`: whose a session is, on every store that comes with the package.

import { hash } from 'node:crypto'
import express from 'express'
import session from 'guildhall/session'
import { expect, test } from 'vitest'
import { Browser, STORES, serve } from './support.ts'

async function open(makeStore: (typeof STORES)[number][1]) {
  const store = makeStore()
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
  app.get('/out-elsewhere/:user', async (req, res) => {
    const except = hash('sha256', req.sessionID, 'base64url')
    res.json([(await store.listByUser(req.params.user)).length, await store.deleteByUser(req.params.user, { except })])
  })
  const url = await serve(app)
  return () => new Browser(url)
}

test.each(STORES)('on %s, somebody logs their other devices out, and nobody else', async (_name, makeStore) => {
  const browser = await open(makeStore)
  const [desk, phone, other] = [browser(), browser(), browser()]
  for (const device of [desk, phone]) await device.get('/in/anna')
  await other.get('/in/bea')
  expect((await desk.get('/out-elsewhere/anna')).text).toBe('[2,1]')
  expect([(await desk.get('/who')).text, (await phone.get('/who')).text, (await other.get('/who')).text]).toEqual([
    '"anna"',
    'null',
    '"bea"',
  ])
})

test.each(STORES)('on %s, somebody who was a stranger is told to begin anew at their login', async (_name, makeStore) => {
  const visitor = (await open(makeStore))()
  await visitor.get('/visit')
  const answer = await visitor.get('/careless/anna')
  expect([answer.status, answer.text]).toEqual([500, expect.stringContaining('await req.session.regenerate() at the login')])
})
