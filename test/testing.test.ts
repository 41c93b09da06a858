// What guildhall/testing gives to the tests of an application, used as an application would.
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import express from 'express'
import { createMembership, type Mail, type Membership, type MembershipOptions, RefusalError } from 'guildhall'
import { logInAs, testClock, testMailbox } from 'guildhall/testing'
import { expect, onTestFinished, test } from 'vitest'
import { CHEAP_HASHES, listen, portOf } from './support/site.ts'
import { GOOD_PASSWORD } from './support/visitor.ts'

interface Application {
  readonly membership: Membership
  statusOf(cookie: string, path?: string): Promise<number>
}

async function application(options: Partial<MembershipOptions> = {}): Promise<Application> {
  const membership = createMembership({
    baseUrl: 'http://localhost:3000',
    database: 'sqlite::memory:',
    passwords: CHEAP_HASHES,
    ...options,
  })
  await membership.migrate()
  await membership.users.create({ username: 'alice', password: GOOD_PASSWORD, displayName: 'Alice' })
  const app = express()
  app.use(membership)
  app.get('/diary', membership.requireLogin, (req, res) => void res.send(`${req.session.username}`))
  app.get('/vault', membership.requireMember({ within: '10m' }), (_req, res) => void res.send('gold'))
  const server = await listen(createServer(app))
  onTestFinished(async () => {
    server.close()
    await membership.close()
  })
  const ask = (cookie: string, path: string) =>
    fetch(`http://localhost:${portOf(server)}${path}`, { headers: { cookie, accept: 'application/json' } })
  return { membership, statusOf: async (cookie, path = '/diary') => (await ask(cookie, path)).status }
}

test('a test logs somebody in without a password, as often as it likes', async () => {
  const { membership, statusOf } = await application()
  const [one, two] = [await logInAs(membership, 'alice'), await logInAs(membership, 'Alice')]
  expect(one).toMatch(/^guildhall=[\w-]{43}$/)
  expect(one).not.toBe(two)
  expect([await statusOf(one), await statusOf(two), await statusOf(one, '/vault')]).toEqual([200, 200, 200])
  expect(await statusOf('guildhall=made-up')).toBe(401)
})

test('a test moves the clock, and an idle member is logged out', async () => {
  const clock = testClock()
  const { membership, statusOf } = await application({ clock })
  const cookie = await logInAs(membership, 'alice')
  clock.forward('11m')
  expect([await statusOf(cookie), await statusOf(cookie, '/vault')]).toEqual([200, 403])
  clock.forward('17m')
  expect(await statusOf(cookie)).toBe(401)
  expect(() => clock.forward('soon' as '1m')).toThrow("forward takes a duration like '16m', got 'soon'")
})

test('a clock begins where a test says', () => {
  const clock = testClock(1000)
  clock.forward('2s')
  expect(clock.now()).toBe(3000)
})

test('it is a login as any other: hooks run and listeners are called', async () => {
  const received: string[] = []
  const { membership } = await application({
    hooks: {
      beforeSignIn() {
        if (received.length > 0) throw new RefusalError('once', 'Once is enough.')
      },
    },
  })
  membership.on('login', ({ outcome }) => received.push(outcome))
  await logInAs(membership, 'alice')
  expect(received).toEqual(['success'])
  await expect(logInAs(membership, 'alice')).rejects.toMatchObject({ code: 'refused', reason: 'once' })
})

test('nobody is logged in who does not exist, nor by another kind of object', async () => {
  const { membership } = await application()
  await expect(logInAs(membership, 'bob')).rejects.toThrow('there is no user bob')
  await expect(logInAs({ ...membership } as Membership, 'alice')).rejects.toThrow(
    'this is no membership of this copy of guildhall',
  )
})

test('a membership for production refuses it', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'guildhall-'))
  const membership = createMembership({
    baseUrl: 'https://example.org',
    database: `sqlite:${join(folder, 'members.db')}`,
    secret: 'a secret of this test, long enough for it',
  })
  onTestFinished(async () => {
    await membership.close()
    rmSync(folder, { recursive: true })
  })
  await membership.migrate()
  await expect(logInAs(membership, 'alice')).rejects.toThrow('this membership is one for production')
})

const mailTo = (to: string, subject: string): Mail => ({
  from: { name: 'Harbour', address: 'noreply@example.org' },
  to,
  subject,
  text: 'Hello.\n',
  html: '<p>Hello.</p>\n',
  messageId: '<mail-0001@example.org>',
  headers: {},
})

test('a test that waits for a mail gets it when it comes, in any letter case, and each one once', async () => {
  const mailbox = testMailbox()
  const first = mailbox.next('Alice@example.org')
  await mailbox.send(mailTo('bob@example.org', 'another'))
  await mailbox.send(mailTo('alice@example.org', 'first'))
  await mailbox.send(mailTo('alice@example.org', 'second'))
  expect((await first).subject).toBe('first')
  expect((await mailbox.next('alice@example.org')).subject).toBe('second')
  expect(mailbox.mails.map(({ subject }) => subject)).toEqual(['another', 'first', 'second'])
})

test('two tests that wait for mails to one address get one each', async () => {
  const mailbox = testMailbox()
  const both = [mailbox.next('alice@example.org'), mailbox.next('alice@example.org')]
  await mailbox.send(mailTo('alice@example.org', 'first'))
  await mailbox.send(mailTo('alice@example.org', 'second'))
  expect((await Promise.all(both)).map(({ subject }) => subject)).toEqual(['first', 'second'])
})

test('a test whose mail does not come is told which ones did', async () => {
  const mailbox = testMailbox()
  await expect(mailbox.next('alice@example.org', { within: '20ms' })).rejects.toThrow('no mail came at all')
  await mailbox.send(mailTo('bob@example.org', 'another'))
  await expect(mailbox.next('alice@example.org', { within: '20ms' })).rejects.toThrow('there are mails to bob@example.org')
  // @ts-expect-error no duration
  expect(() => mailbox.next('alice@example.org', { within: 'soon' })).toThrow("within must be a duration like '5s', got 'soon'")
})
