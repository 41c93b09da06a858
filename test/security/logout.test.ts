// A logout is for good: on the server, at once, whatever other requests of the same browser still do.
import { once } from 'node:events'
import type { Request, Response } from 'express'
import { expect, test } from 'vitest'
import type { PasswordHasher } from '../../src/passwords/hasher.ts'
import { countRows, siteOfTest } from '../support/artifacts.ts'
import { hasRow, idOf, memberOf, statusWith } from '../support/members.ts'
import type { Site, SiteOptions } from '../support/site.ts'
import { GOOD_PASSWORD, rawGet, type Visitor } from '../support/visitor.ts'

test('D-20 a logout deletes the session on the server and takes the cookie away', async () => {
  const site = await siteOfTest()
  for (const endpoint of ['api', 'form'] as const) {
    const { visitor, id } = await memberOf(site, `anna-${endpoint}`)
    const other = site.visitor()
    await other.logIn(`anna-${endpoint}`)
    const left = await visitor[endpoint]('/logout', {})
    expect([left.status, left.setCookies]).toEqual([
      endpoint === 'api' ? 204 : 303,
      [
        'guildhall=; Path=/; HttpOnly; SameSite=Strict; Max-Age=0; Expires=Thu, 01 Jan 1970 00:00:00 GMT',
        'guildhall-seen=; Path=/; HttpOnly; SameSite=Lax; Max-Age=0; Expires=Thu, 01 Jan 1970 00:00:00 GMT',
      ],
    ])
    expect(await visitor.sessionId()).toBeUndefined()
    expect(await statusWith(site, id)).toBe(401)
    expect(await hasRow(site, id)).toBe(false)
    // The person's other browser stays logged in.
    expect((await other.api('/profile')).status).toBe(200)
  }
})

interface Trial {
  readonly path: string
  readonly how: string
  readonly end: (visitor: Visitor, site: Site) => Promise<unknown>
}

const logOut = (visitor: Visitor) => visitor.api('/logout', {})
const endElsewhere = async (visitor: Visitor, site: Site) => {
  const { sessions } = (await visitor.api('/account/sessions')).json<{ sessions: { id: string; current: boolean }[] }>()
  const mine = sessions.find(({ current }) => current)
  const other = site.visitor()
  await other.logIn('anna')
  expect((await other.api(`/account/sessions/${mine?.id}/end`, {})).status).toBe(204)
}

/** A route that writes into its session when the test lets it go on. */
function slowRoute(): { readonly routes: SiteOptions['routes']; entered(): Promise<void>; goOn(): void } {
  const gate = new EventTarget()
  const wait = async (req: Request, res: Response, act: (req: Request) => unknown) => {
    const opened = once(gate, 'go')
    gate.dispatchEvent(new Event('entered'))
    await opened
    await act(req)
    res.json({})
  }
  const write = (req: Request) => Object.assign(req.session, { note: 'written late' })
  return {
    routes: (app) => {
      app.get('/slow', (req, res) => wait(req, res, write))
      app.get('/slow/read-first', (req, res) => {
        Object.assign(req.session, { early: 'written early' })
        return wait(req, res, write)
      })
      app.get('/slow/save', (req, res) => wait(req, res, async (late) => write(late) && (await late.session.save())))
      app.get('/slow/touch', (req, res) => wait(req, res, async (late) => late.session.touch()))
    },
    entered: async () => void (await once(gate, 'entered')),
    goOn: () => void gate.dispatchEvent(new Event('go')),
  }
}

test.each<Trial>([
  { path: '/slow', how: 'logout', end: logOut },
  { path: '/slow/read-first', how: 'logout', end: logOut },
  { path: '/slow/save', how: 'logout', end: logOut },
  { path: '/slow/touch', how: 'logout', end: logOut },
  { path: '/slow', how: 'another browser', end: endElsewhere },
])('D-22 what a slow request does to its session after its end by $how brings nothing back: $path', async ({ path, end }) => {
  const { routes, entered, goOn } = slowRoute()
  const site = await siteOfTest({ routes: routes ?? (() => {}) })
  await site.visitor().register('anna')
  for (let n = 0; n < 40; n++) {
    const visitor = site.visitor()
    await visitor.logIn('anna')
    const id = await idOf(visitor)
    const inside = entered()
    const slow = rawGet(site.base, path, `guildhall=${id}`)
    await inside
    await end(visitor, site)
    goOn()
    const late = await slow
    expect([late.status, late.setCookies]).toEqual([200, []])
    expect(await hasRow(site, id)).toBe(false)
    expect(await statusWith(site, id)).toBe(401)
  }
})

test('D-22 a password that is confirmed while its session is ended opens no new one', async () => {
  const site = await siteOfTest()
  const { passwords } = site.core
  const gate = new EventTarget()
  await site.visitor().register('anna')
  for (let n = 0; n < 20; n++) {
    const visitor = site.visitor()
    await visitor.logIn('anna')
    const id = await idOf(visitor)
    const hashing = once(gate, 'hashing')
    const held: PasswordHasher = {
      ...passwords,
      async verify(stored, password) {
        const opened = once(gate, 'go')
        gate.dispatchEvent(new Event('hashing'))
        await opened
        return passwords.verify(stored, password)
      },
    }
    Object.assign(site.core, { passwords: held })
    const headers = { cookie: `guildhall=${id}`, 'content-type': 'application/json' }
    const body = JSON.stringify({ password: GOOD_PASSWORD })
    const slow = site.visitor().send('/api/reauthenticate', { method: 'POST', headers, body })
    await hashing
    await logOut(visitor)
    gate.dispatchEvent(new Event('go'))
    const late = await slow
    expect([late.status, late.setCookies]).toEqual([401, []])
    expect([await countRows(site, 'sessions'), await statusWith(site, id)]).toEqual([1, 401])
    Object.assign(site.core, { passwords })
  }
})
