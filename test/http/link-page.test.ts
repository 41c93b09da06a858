// A mailed link leads to a page without its token, and several links in one browser do not meet.
import { createServer } from 'node:http'
import express from 'express'
import { beforeEach, expect, onTestFinished, test } from 'vitest'
import { z } from 'zod'
import { leaveFlow, useFlow } from '../../src/core/flow.ts'
import { findOpenedLink } from '../../src/core/mailed-link.ts'
import { type TokenPurpose, useToken } from '../../src/core/tokens.ts'
import { MembershipError } from '../../src/domain/errors.ts'
import { digest } from '../../src/domain/secret.ts'
import { action } from '../../src/http/action.ts'
import { feature } from '../../src/http/feature.ts'
import { linkPage } from '../../src/http/link-page.ts'
import { createPaths } from '../../src/http/paths.ts'
import { createPipeline } from '../../src/http/pipeline.ts'
import { createRouter } from '../../src/http/router.ts'
import { routesOf } from '../../src/http/routes.ts'
import { deleteExpiredFlows } from '../../src/storage/flows.ts'
import { siteOfTest } from '../support/artifacts.ts'
import { bytesAtRest, inDatabase } from '../support/database-inspector.ts'
import { sendRaw } from '../support/raw.ts'
import { listen, portOf, type Site, type SiteOptions } from '../support/site.ts'
import { giveToken } from '../support/tokens.ts'
import { type Answer, GOOD_PASSWORD, Visitor } from '../support/visitor.ts'

const purpose: TokenPurpose = { name: 'pick', endsWith: 'credentials', lifeMs: 30 * 60_000 }
const FROM_WEBMAIL = ['Sec-Fetch-Site: cross-site', 'Sec-Fetch-Mode: navigate', 'Sec-Fetch-Dest: document']

/** Says whose link it is; its form uses the link. */
const pick = feature({
  name: 'pick',
  paths: { page: '/pick' },
  texts: { en: {}, 'zh-TW': {} },
  actions: [
    action({
      at: 'page',
      guard: 'anybody',
      input: z.object({ flow: z.string() }),
      page: linkPage(purpose, {
        async show({ core, caller, flow, res }) {
          const link = await findOpenedLink(core, purpose, flow ?? '', caller)
          res.send(link?.token.user.username ?? 'dead')
        },
        async showRefused({ res }, { code }) {
          res.status(422).send(code)
        },
      }),
      api: false,
      async run(core, { flow: number }, caller) {
        const link = await findOpenedLink(core, purpose, number, caller)
        if (!link) throw new MembershipError('not_found')
        await core.db.transaction([useFlow(link.flow), useToken(link.token, core.clock.now())])
        await leaveFlow(core, caller)
      },
      answer: () => ({ to: '/used' }),
    }),
  ],
})

let site: Site
let base: string

async function open(options: SiteOptions = {}): Promise<void> {
  site = await siteOfTest(options)
  const own = routesOf([pick], createPaths('', [pick], {}), site.settings)
  const server = await listen(
    createServer(express().use(createPipeline(site.http, createRouter(site.http, [...site.routes, ...own])))),
  )
  onTestFinished(() => void server.close())
  base = `http://localhost:${portOf(server)}`
}

beforeEach(() => open())

const browser = () => new Visitor(base)

async function linkOf(username: string, { ageMs = 0 } = {}): Promise<string> {
  const user =
    (await site.membership.users.find(username)) ?? (await site.membership.users.create({ username, password: GOOD_PASSWORD }))
  return giveToken(site, user.id, { purpose: purpose.name, at: site.clock.now() - ageMs })
}

async function rows(table: 'flows' | 'tokens'): Promise<number> {
  const [row] = await inDatabase(site, `SELECT count(*) AS n FROM guildhall_${table}`)
  return Number(row?.n)
}

const numberIn = ({ location }: Answer) => new URL(location ?? '', 'http://here').searchParams.get('flow') ?? ''
const arrive = async (visitor: Visitor, token: string) => numberIn(await visitor.get(`/pick?token=${token}`))
const shown = async (visitor: Visitor, number: string) => (await visitor.get(`/pick?flow=${number}`)).text

test('G-08 the token leaves the address at once, and neither cookie nor row holds it', async () => {
  const token = await linkOf('anna')
  const visitor = browser()
  const arrived = await visitor.get(`/pick?token=${token}`)
  expect([arrived.status, arrived.location]).toEqual([303, expect.stringMatching(/^\/pick\?flow=[\w-]+$/)])
  expect(arrived.headers.get('referrer-policy')).toBe('no-referrer')
  expect(arrived.headers.get('cache-control')).toBe('no-store')
  expect(arrived.text).toBe('')
  expect(arrived.setCookies).toEqual([
    expect.stringMatching(/^guildhall-flow=[\w-]{43}; Max-Age=600; Path=\/; HttpOnly; SameSite=Lax$/),
  ])
  expect(arrived.setCookies.join()).not.toContain(token)
  const page = await visitor.get(arrived.location ?? '')
  expect([page.text, page.headers.get('referrer-policy'), page.headers.get('cache-control')]).toEqual([
    'anna',
    'no-referrer',
    'no-store',
  ])
  const kept = await bytesAtRest(site)
  expect([kept.includes(token), kept.includes(digest(token))]).toEqual([false, true])
})

test('E-09 a link that is opened again and again, or looked at by programs, still works once', async () => {
  const token = await linkOf('anna')
  for (let n = 0; n < 5; n++) {
    const looked = await browser().send(`/pick?token=${token}`, { method: 'HEAD' })
    expect([looked.status, looked.setCookies]).toEqual([303, []])
  }
  expect(await rows('flows')).toBe(0)
  for (let n = 0; n < 5; n++) {
    const scanner = browser()
    const { location } = await scanner.get(`/pick?token=${token}`)
    expect((await scanner.get(location ?? '')).text).toBe('anna')
  }
  const visitor = browser()
  const flow = await arrive(visitor, token)
  expect((await visitor.form('/pick', { flow })).location).toBe('/used')
  expect([await rows('tokens'), await shown(visitor, flow)]).toEqual([0, 'dead'])
})

test('a dead link, and any text in its place, leads to the page without a row and without a cookie', async () => {
  const over = await linkOf('anna', { ageMs: purpose.lifeMs })
  const visitor = browser()
  for (const token of [over, '', 'x', 'A'.repeat(22), 'x'.repeat(4000), '%00', '%F0%9F%98%80', `${over}&token=${over}`]) {
    const arrived = await visitor.get(`/pick?token=${token}`)
    expect([arrived.status, arrived.location, arrived.setCookies]).toEqual([303, '/pick', []])
  }
  expect([(await visitor.get('/pick')).text, await rows('flows')]).toEqual(['dead', 0])
})

test('two mails in two tabs of one browser: each form is that of its own mail', async () => {
  const visitor = browser()
  const [anna, bert] = [await arrive(visitor, await linkOf('anna')), await arrive(visitor, await linkOf('bert'))]
  expect([await shown(visitor, anna), await shown(visitor, bert)]).toEqual(['anna', 'bert'])
  const used = await visitor.form('/pick', { flow: anna })
  // The other tab goes on, and so does the cookie.
  expect([used.status, used.setCookies]).toEqual([303, []])
  expect([await shown(visitor, anna), await shown(visitor, bert)]).toEqual(['dead', 'bert'])
  const last = await visitor.form('/pick', { flow: bert })
  expect(last.setCookies).toEqual([expect.stringMatching(/^guildhall-flow=; Max-Age=0; /)])
  expect(await rows('flows')).toBe(0)
})

test('of two tabs that open at the same moment without a cookie, one says that its link is to be opened again', async () => {
  const visitor = browser()
  const [a, b] = await Promise.all([linkOf('anna'), linkOf('bert')])
  const [anna, bert] = await Promise.all([arrive(visitor, a), arrive(visitor, b)])
  const names = [await shown(visitor, anna), await shown(visitor, bert)]
  // Never the other's.
  expect(['anna', 'dead']).toContain(names[0])
  expect(['bert', 'dead']).toContain(names[1])
  expect(names).not.toEqual(['dead', 'dead'])
})

test('nobody else can use a flow: not without its cookie, not with a cookie of their own, not without its number', async () => {
  const [visitor, other] = [browser(), browser()]
  const number = await arrive(visitor, await linkOf('anna'))
  const theirs = await arrive(other, await linkOf('bert'))
  for (const [who, flow] of [
    [browser(), number],
    [other, number],
    [visitor, theirs],
    [visitor, ''],
    [visitor, '1'],
  ] as const) {
    expect(await shown(who, flow)).toBe('dead')
    expect((await who.form('/pick', { flow })).status).toBe(404)
  }
  expect([await shown(visitor, number), await rows('tokens')]).toEqual(['anna', 2])
})

test('a logout ends the flow', async () => {
  const visitor = browser()
  const number = await arrive(visitor, await linkOf('anna'))
  await visitor.logIn('anna')
  expect(await shown(visitor, number)).toBe('anna')
  const out = await visitor.form('/logout', {})
  expect(out.setCookies.join()).toContain('guildhall-flow=; Max-Age=0')
  expect([await rows('flows'), await shown(visitor, number)]).toEqual([0, 'dead'])
})

test('a flow lasts ten minutes, and the link can be opened once more', async () => {
  const token = await linkOf('anna')
  const visitor = browser()
  const number = await arrive(visitor, token)
  site.clock.forward('599s')
  expect(await shown(visitor, number)).toBe('anna')
  site.clock.forward('1s')
  expect(await shown(visitor, number)).toBe('dead')
  expect(await shown(visitor, await arrive(visitor, token))).toBe('anna')
  const deleted = await site.core.db.write(deleteExpiredFlows, { now: site.clock.now(), limit: 10 })
  expect([deleted.length, await rows('flows')]).toEqual([1, 1])
})

test('a link opened over and over fills nothing: ten flows in a browser, twenty of a user', async () => {
  const token = await linkOf('anna')
  const visitor = browser()
  let number = ''
  for (let n = 0; n < 15; n++) {
    site.clock.forward('1s')
    number = await arrive(visitor, token)
  }
  expect([await rows('flows'), await shown(visitor, number)]).toEqual([10, 'anna'])
  for (let n = 0; n < 25; n++) {
    site.clock.forward('1s')
    number = await arrive(browser(), token)
  }
  expect(await rows('flows')).toBe(20)
})

test('a member who comes from webmail is logged in on the page and afterwards', async () => {
  const visitor = browser()
  const token = await linkOf('anna')
  await visitor.logIn('anna')
  const session = await visitor.sessionId()
  // The browser holds the Strict cookie back, and sends its marker.
  const headers = [...FROM_WEBMAIL, 'Accept: text/html', 'Cookie: guildhall-seen=1']
  const first = await sendRaw(base, { path: `/pick?token=${token}`, headers })
  expect(first.status).toBe(200)
  expect(first.head).toMatch(/^cache-control: no-store\r$/im)
  expect(first.head).toMatch(/^referrer-policy: same-origin\r$/im)
  expect(first.head).not.toMatch(/guildhall(?:-flow)?=/)
  // The address that the page opens, by itself or by hand, is on this origin; the token is nowhere else.
  expect(first.body.split(token)).toHaveLength(3)
  expect(first.body.split(`${site.base}/pick?token=${token}"`)).toHaveLength(3)
  expect(await rows('flows')).toBe(0)
  const second = await visitor.get(`/pick?token=${token}`, {
    headers: { 'sec-fetch-site': 'same-origin', referer: `${base}/pick?token=${token}` },
  })
  expect([second.status, second.headers.get('referrer-policy')]).toEqual([303, 'no-referrer'])
  expect(await shown(visitor, numberIn(second))).toBe('anna')
  expect([await visitor.sessionId(), (await visitor.api('/profile')).status]).toEqual([session, 200])
})

test('over HTTPS the cookie is bound to this host, and a name of the site’s own names it too', async () => {
  await open({ baseUrl: 'https://members.example', cookie: { name: 'club' }, secret: 'x'.repeat(32) })
  const { setCookies } = await browser().get(`/pick?token=${await linkOf('anna')}`)
  expect(setCookies).toEqual([
    expect.stringMatching(/^__Host-club-flow=[\w-]{43}; Max-Age=600; Path=\/; HttpOnly; SameSite=Lax; Secure$/),
  ])
})

test('without HTTPS the form still says where it comes from: browsers send no Fetch Metadata there', async () => {
  await open({ baseUrl: 'http://members.lan' })
  const visitor = browser()
  const arrived = await visitor.get(`/pick?token=${await linkOf('anna')}`)
  expect(arrived.headers.get('referrer-policy')).toBe('no-referrer')
  const page = await visitor.get(arrived.location ?? '')
  expect([page.text, page.headers.get('referrer-policy')]).toEqual(['anna', 'same-origin'])
})
