// The two examples in express-session's README: counting views of a page, and logging in and out.
import express from 'express'
import { expect, test } from 'vitest'
import { forEachImplementation } from '../implementations.ts'
import { called, handle, middlewareOf, open, openApp } from '../support.ts'

forEachImplementation('in use', (implementation) => {
  test('a visitor sees how often each page was seen', async () => {
    const place = await open(implementation, { saveUninitialized: true }, (req, res) => {
      req.session.pages ??= {}
      const pages = req.session.pages as Record<string, number>
      pages[req.path] = (pages[req.path] ?? 0) + 1
      res.send(String(pages[req.path]))
    })
    const visitor = place.visitor()
    for (const path of ['/foo', '/foo', '/bar']) await visitor.get(path)
    expect([(await visitor.get('/foo')).text, (await visitor.get('/bar')).text]).toEqual(['3', '2'])
    expect((await place.get('/foo')).text).toBe('1')
  })

  test('a person logs in under a new id, is known on every page, and logs out for good', async () => {
    const place = await openApp((app) => {
      app.use(middlewareOf(implementation))
      app.get(
        '/',
        handle((req, res) => res.send(req.session.user ?? 'please log in')),
      )
      app.post(
        '/login/:name',
        handle(async (req, res) => {
          await called((done) => req.session.regenerate(done))
          req.session.user = req.path.slice('/login/'.length)
          await called((done) => req.session.save(done))
          res.redirect('/')
        }),
      )
      app.post(
        '/logout',
        handle(async (req, res) => {
          delete req.session.user
          await called((done) => req.session.save(done))
          await called((done) => req.session.regenerate(done))
          res.redirect('/')
        }),
      )
    })
    const visitor = place.visitor()
    expect((await visitor.get()).text).toBe('please log in')
    await visitor.get('/login/alice', { method: 'POST' })
    expect((await visitor.get()).text).toBe('alice')
    const { cookie } = visitor
    await visitor.get('/logout', { method: 'POST' })
    expect((await visitor.get()).text).toBe('please log in')
    expect((await place.get('/', { cookie })).text).toBe('please log in')
  })

  test('a download by express.static goes out beside a session', async () => {
    const place = await openApp((app) => {
      app.use(middlewareOf(implementation, { saveUninitialized: true }), express.static(import.meta.dirname))
    })
    const { status, text, cookie, complete } = await place.get('/login.test.ts')
    expect([status, text.startsWith('// The two examples'), cookie !== undefined, complete]).toEqual([200, true, true, true])
  })
})
