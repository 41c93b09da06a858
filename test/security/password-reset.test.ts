// Attacks on the forgotten password: without the token, with somebody else's, all at once, and by listening.
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { digest, newNonce } from '../../src/domain/secret.ts'
import { findPassword } from '../../src/storage/users.ts'
import { allRows } from '../support/database-inspector.ts'
import { sendRaw } from '../support/raw.ts'
import type { SiteOptions } from '../support/site.ts'
import { type MailSite, mailSiteOfTest, tokenIn, userWith } from '../support/site-with-mail.ts'
import { GOOD_PASSWORD, type Visitor } from '../support/visitor.ts'

const IS_FULL = process.env.REQUIRE_ALL === '1'
const ORDERS = IS_FULL ? 10_000 : 300
const NEW = 'harbour violet kettle'

async function siteWith(...names: readonly string[]): Promise<MailSite> {
  const site = await mailSiteOfTest()
  for (const name of names) await userWith(site, name)
  return site
}

async function tokenFor(site: MailSite, identifier: string): Promise<string> {
  await site.visitor().api('/forgot-password', { identifier })
  const [mail] = await site.deliver()
  return mail ? tokenIn(mail) : ''
}

async function hashOf({ core, membership }: MailSite, username: string): Promise<string | undefined> {
  const user = await membership.users.find(username)
  return (await core.db.first(findPassword, { userId: user?.id ?? '' }))?.passwordHash
}

const reset = (visitor: Visitor, fields: object) => visitor.api('/reset-password', fields)

test('E-17 a blank, absent or wrong token matches nothing, and no row changes', async () => {
  const site = await siteWith('anna')
  await tokenFor(site, 'anna')
  const before = await allRows(site)
  for (const token of [
    '',
    null,
    undefined,
    [],
    {},
    0,
    true,
    ['x'],
    { $ne: null },
    'x',
    'A'.repeat(22),
    'A'.repeat(200),
    '\u0000',
    ' ',
  ]) {
    const refused = await reset(site.visitor(), { token, password: NEW })
    expect([token, refused.status]).toEqual([token, 422])
    expect(['invalid_input', 'invalid_token']).toContain(refused.json().code)
  }
  for (const fields of [
    '',
    `password=${NEW}`,
    `flow=&password=${NEW}`,
    `token=&password=${NEW}`,
    `token=x&token=y&password=${NEW}`,
    `flow=x&password=${NEW}`,
  ]) {
    const refused = await site.visitor().form('/reset-password', fields)
    expect([fields, refused.status]).toEqual([fields, 422])
  }
  expect(await allRows(site)).toEqual(before)
})

test('G-01 the link leads to the configured site, whatever the request says that it was sent to', async () => {
  const site = await siteWith('anna')
  const type = 'Content-Type: application/json'
  const body = JSON.stringify({ identifier: 'anna' })
  for (const { path = '/api/forgot-password', headers } of [
    { headers: ['Host: evil.example'] },
    { headers: ['X-Forwarded-Host: evil.example', 'X-Forwarded-Proto: https', 'Forwarded: host=evil.example'] },
    { headers: ['X-Original-URL: https://evil.example/', 'X-Host: evil.example', 'Origin: '.concat(site.base)] },
    { path: 'http://evil.example/api/forgot-password', headers: [] },
  ]) {
    await sendRaw(site.base, { method: 'POST', path, headers: [type, ...headers], body })
    for (const mail of await site.deliver()) {
      expect(String(mail.bytes)).not.toContain('evil.example')
      expect(mail.parsed.text).toContain(`${site.base}/reset-password?token=`)
    }
    site.clock.forward('31m')
  }
  expect(site.server.mails.length).toBeGreaterThanOrEqual(2)
})

test('G-03 F-21 of a hundred uses at once one succeeds, and the password is that of this request', async () => {
  const site = await siteWith('anna')
  for (const by of ['api', 'page'] as const) {
    const token = await tokenFor(site, 'anna')
    const visitor = site.visitor()
    const { location } = await visitor.get(`/reset-password?token=${token}`)
    const flow = new URL(location ?? '', site.base).searchParams.get('flow') ?? ''
    const passwords = Array.from({ length: 100 }, (_, n) => `copper meadow ${by} ${n}`)
    const answers = await Promise.all(
      passwords.map((password) =>
        by === 'api' ? reset(site.visitor(), { token, password }) : visitor.form('/reset-password', { flow, password }),
      ),
    )
    const winners = passwords.filter((_, n) => [204, 303].includes(answers[n]?.status ?? 0))
    expect(winners).toHaveLength(1)
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([by === 'api' ? 204 : 303, 422]))
    expect((await site.visitor().logIn('anna', winners[0])).status).toBe(200)
    expect(
      (
        await site.visitor().logIn(
          'anna',
          passwords.find((one) => one !== winners[0]),
        )
      ).status,
    ).toBe(401)
    await site.deliver()
  }
})

/** What an attacker can send who knows everything but the token: names, numbers, and hashes out of a copy of the database. */
type Step = (visitor: Visitor) => Promise<unknown>

test(`G-06 of ${ORDERS} orders of requests without the token none sets a password`, { timeout: 20 * 60_000 }, async () => {
  const site = await siteWith('anna', 'mallory')
  const token = await tokenFor(site, 'anna')
  const victim = site.visitor()
  const { location } = await victim.get(`/reset-password?token=${token}`)
  const number = new URL(location ?? '', site.base).searchParams.get('flow') ?? ''
  const cookie = await victim.jar.getCookieString(site.base)
  const cookieHash = digest(cookie.slice(cookie.indexOf('=') + 1))
  const own = await tokenFor(site, 'mallory')
  const guesses = [
    '',
    number,
    digest(token),
    cookieHash,
    newNonce(),
    token.slice(1),
    `${token}x`,
    token.toLowerCase(),
    'null',
    'undefined',
  ]
  const guess = fc.constantFrom(...guesses)
  const fields = fc.record(
    {
      flow: guess,
      token: guess,
      username: fc.constant('anna'),
      identifier: fc.constant('anna@mail.example'),
      step: fc.constantFrom('choose', 'done'),
    },
    { requiredKeys: [] },
  )
  const withPassword = fields.map((given) => ({ ...given, password: NEW }))
  const steps: readonly fc.Arbitrary<Step>[] = [
    guess.map((one) => (visitor) => visitor.get(`/reset-password?token=${encodeURIComponent(one)}`)),
    guess.map((one) => (visitor) => visitor.get(`/reset-password?flow=${encodeURIComponent(one)}`)),
    fc.constant((visitor) => visitor.send(`/reset-password?token=${digest(token)}`, { method: 'HEAD' })),
    // A real flow of their own, whose number and cookie they then mix with those of the victim.
    fc.constant((visitor) => visitor.get(`/reset-password?token=${own}`)),
    fc.constant((visitor) => visitor.api('/forgot-password', { identifier: 'anna' })),
    fc.constant((visitor) => visitor.form('/forgot-password', { identifier: 'anna@mail.example' })),
    withPassword.map((given) => (visitor) => visitor.form('/reset-password', given)),
    withPassword.map((given) => (visitor) => reset(visitor, given)),
    fields.map((given) => (visitor) => visitor.form('/reset-password', given)),
    fc.constant((visitor) => visitor.logIn('anna', NEW)),
    fc.constant((visitor) => visitor.logIn('mallory')),
    fc.constant((visitor) => visitor.form('/logout', {})),
    guess.map(
      (one) => (visitor) => visitor.send(`/reset-password?flow=${number}`, { headers: { cookie: `guildhall-flow=${one}` } }),
    ),
    guess.map(
      (one) => (visitor) =>
        visitor.form('/reset-password', { flow: number, password: NEW }, { headers: { cookie: `guildhall-flow=${one}` } }),
    ),
  ]
  const before = await hashOf(site, 'anna')
  const orders = fc.array(fc.oneof(...steps), { minLength: 1, maxLength: 6 })
  await fc.assert(
    fc.asyncProperty(orders, async (order) => {
      const visitor = site.visitor()
      for (const step of order) await step(visitor)
      expect(await hashOf(site, 'anna')).toBe(before)
    }),
    { numRuns: ORDERS },
  )
  // It was there all the time, and works.
  expect((await victim.form('/reset-password', { flow: number, password: NEW })).status).toBe(303)
  expect(await hashOf(site, 'anna')).not.toBe(before)
})

test('G-07 a token sets the password of its own user, whoever else the request names', async () => {
  const site = await siteWith('anna', 'bert')
  const [anna, bert] = [await site.membership.users.find('anna'), await site.membership.users.find('bert')]
  const hash = await hashOf(site, 'bert')
  const token = await tokenFor(site, 'anna')
  const names = {
    userId: bert?.id,
    user_id: bert?.id,
    id: bert?.id,
    username: 'bert',
    email: 'bert@mail.example',
    identifier: 'bert',
  }
  expect((await reset(site.visitor(), { token, password: NEW, ...names })).status).toBe(204)
  expect([await hashOf(site, 'bert'), anna?.id === bert?.id]).toEqual([hash, false])
  expect((await site.visitor().logIn('anna', NEW)).status).toBe(200)
})

test('G-08 the page of the new password loads nothing from elsewhere, and tells nobody where it was', async () => {
  const site = await siteWith('anna')
  const visitor = site.visitor()
  const { location } = await visitor.get(`/reset-password?token=${await tokenFor(site, 'anna')}`)
  const page = await visitor.get(location ?? '')
  expect(page.headers.get('referrer-policy')).toBe('no-referrer')
  expect(page.headers.get('cache-control')).toBe('no-store')
  expect(page.headers.get('content-security-policy')).toContain("default-src 'none'")
  const loaded = [...page.text.matchAll(/(?:src|href|action)="([^"]*)"/g)].map(([, address = '']) => address)
  expect(loaded.filter((address) => !/^[/#](?!\/)/.test(address))).toEqual([])
  // A form of such a page says `Origin: null`.
  const sent = await visitor.form('/reset-password', { flow: 'x', password: NEW }, { headers: { origin: 'null' } })
  expect(sent.status).toBe(422)
})

test('G-10 somebody who asks a hundred times from a hundred addresses has a user mailed five times an hour at most', async () => {
  const site = await mailSiteOfTest({ rateLimit: true, trustProxy: 1 })
  await userWith(site, 'anna')
  for (let n = 0; n < 100; n++) {
    const identifier = n % 2 === 0 ? 'anna' : 'anna@mail.example'
    const headers = { 'x-forwarded-for': `203.0.113.${n}` }
    expect((await site.visitor().api('/forgot-password', { identifier }, { headers })).status).toBe(202)
    await site.deliver()
    site.clock.forward('30s')
  }
  expect(site.server.mails.length).toBeGreaterThanOrEqual(3)
  expect(site.server.mails.length).toBeLessThanOrEqual(5)
})

test('G-14 a mail server that refuses, fails or hangs up changes nothing for whoever asks', async () => {
  const site = await siteWith('anna')
  const right = await site.visitor().api('/forgot-password', { identifier: 'nobody' })
  for (const trouble of [421, 451, 550, 'hang up'] as const) {
    site.server.trouble(trouble === 550 ? 'recipient' : 'greeting', trouble)
    await site.visitor().api('/forgot-password', { identifier: 'anna' })
    site.clock.forward('3s')
    const isSending = site.outbox?.run()
    const answer = await site.visitor().api('/forgot-password', { identifier: 'anna' })
    expect([trouble, answer.status, answer.text]).toEqual([trouble, right.status, right.text])
    await isSending
    site.clock.forward('31m')
  }
})

test('G-14 nobody who asks waits for a mail server that hangs', async () => {
  const asked = Promise.withResolvers<void>()
  const hanging = Promise.withResolvers<void>()
  const send = () => {
    asked.resolve()
    return hanging.promise
  }
  const site = await mailSiteOfTest({ mail: { from: 'noreply@site.example', mailer: { send } } })
  await userWith(site, 'anna')
  await site.visitor().api('/forgot-password', { identifier: 'anna' })
  const isSending = site.deliver()
  await asked.promise
  for (const identifier of ['anna', 'nobody'])
    expect((await site.visitor().api('/forgot-password', { identifier })).status).toBe(202)
  hanging.resolve()
  await isSending
})

describe('B-04 B-05 asking', () => {
  const IDENTIFIERS = {
    unknown: 'nobody-here',
    'unknown address': 'nobody@mail.example',
    known: 'anna',
    'known address': 'anna@mail.example',
    unproven: 'bert',
    suspended: 'cora',
    'without an address': 'dora',
  }

  async function siteOfAll(options: SiteOptions = {}): Promise<MailSite> {
    const site = await mailSiteOfTest(options)
    await userWith(site, 'anna')
    await userWith(site, 'bert', { isProven: false })
    await userWith(site, 'cora')
    await site.membership.users.setStatus('cora', 'suspended')
    await site.membership.users.create({ username: 'dora', password: GOOD_PASSWORD })
    return site
  }

  test('writes the same one row whoever it is about, and answers the same', async () => {
    const site = await siteOfAll()
    const answers = new Set<string>()
    const writes = new Set<string>()
    for (const identifier of Object.values(IDENTIFIERS)) {
      const before = await allRows(site)
      for (const asked of [
        await site.visitor().api('/forgot-password', { identifier }),
        await site.visitor().form('/forgot-password', { identifier: `${identifier} ` }),
      ])
        answers.add(JSON.stringify([asked.status, asked.text, asked.location, asked.setCookies, [...asked.headers.keys()]]))
      const after = await allRows(site)
      const changed = Object.keys(after).filter((table) => JSON.stringify(after[table]) !== JSON.stringify(before[table]))
      const row = after.guildhall_mails?.find(({ data }) => String(data).includes(`"${identifier}"`)) ?? {}
      const shape = Object.entries(row).map(([column, value]) => [column, value === null ? null : typeof value])
      writes.add(JSON.stringify([changed, (after.guildhall_mails?.length ?? 0) - (before.guildhall_mails?.length ?? 0), shape]))
    }
    expect([answers.size, writes.size]).toEqual([2, 1])
  })
})
