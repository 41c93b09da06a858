// The outbox: every mail that was written is sent once, in good order, whatever the mail server does.
import { describe, expect, test } from 'vitest'
import { OPERATOR } from '../../src/core/caller.ts'
import type { RequestKind } from '../../src/core/mail-kind.ts'
import { mailStatement, requestStatement } from '../../src/core/outbox.ts'
import { findToken } from '../../src/core/tokens.ts'
import { findUserByKey } from '../../src/storage/users.ts'
import { inDatabase } from '../support/database-inspector.ts'
import { mailKind, mailTo, type OutboxOfTest, openOutbox, PROOF, tokenIn } from '../support/mail-site.ts'
import { until } from '../support/until.ts'

const kind = mailKind()
const requested = mailKind({ name: 'requested', isNotification: false })
const withToken = mailKind({ name: 'with-token', purpose: PROOF })

const subjects = ({ server }: OutboxOfTest) => server.mails.map(({ parsed }) => parsed.subject ?? '')

const rows = ({ database }: OutboxOfTest) =>
  inDatabase({ database }, 'SELECT kind, state, attempts, last_error FROM guildhall_mails ORDER BY id')

describe('a mail', () => {
  test('is in the outbox if the act was done, and only then', async () => {
    const outbox = await openOutbox({ kinds: [kind] })
    const user = await outbox.member('anna')
    const double = mailStatement(outbox.core, mailTo(user, kind, 1))
    await expect(outbox.core.db.transaction([double, double])).rejects.toThrow()
    await outbox.put(mailTo(user, kind, 2))
    await outbox.run()
    expect(subjects(outbox)).toEqual(['Number 2 for anna'])
    expect(await rows(outbox)).toEqual([])
  })

  test('that a member causes is sent at once, without a tick', async () => {
    const outbox = await openOutbox({ kinds: [kind] })
    await outbox.put(mailTo(await outbox.member('anna'), kind))
    outbox.core.outbox.ring()
    await until(() => outbox.server.mails.length === 1)
  })

  test('is sent by the tick where nobody rings', async () => {
    const outbox = await openOutbox({ kinds: [kind] })
    await outbox.put(mailTo(await outbox.member('anna'), kind))
    await until(() => outbox.server.mails.length === 1)
  })

  test('to somebody who was rung for while others were sent is sent too', async () => {
    const outbox = await openOutbox({ kinds: [kind] })
    const user = await outbox.member('anna')
    for (let number = 1; number <= 20; number++) {
      await outbox.put(mailTo(user, kind, number))
      outbox.core.outbox.ring()
    }
    await until(() => outbox.server.mails.length === 20)
    expect(subjects(outbox)).toEqual(Array.from({ length: 20 }, (_, at) => `Number ${at + 1} for anna`))
  })

  test('goes in the language of its user, else in that of the request', async () => {
    const spoken = mailKind({
      compose: ({ t }) => ({ subject: t.locale, heading: 'x', blocks: [], foot: 'x' }),
    })
    const outbox = await openOutbox({ kinds: [spoken] })
    const user = await outbox.member('anna')
    await outbox.put({ ...mailTo(user, spoken), locale: 'zh-TW' })
    await outbox.run()
    await outbox.put({ ...mailTo({ ...user, locale: 'en' }, spoken), locale: 'zh-TW' })
    await outbox.run()
    expect(subjects(outbox)).toEqual(['zh-TW', 'en'])
  })

  test('notifications go before what strangers asked for', async () => {
    const outbox = await openOutbox({ kinds: [kind, requested] })
    const user = await outbox.member('anna')
    await outbox.put(mailTo(user, requested, 1), mailTo(user, kind, 2))
    await outbox.run()
    expect(subjects(outbox)).toEqual(['Number 2 for anna', 'Number 1 for anna'])
  })
})

describe('while the mail server', () => {
  test.each(['greeting', 'sender', 'recipient', 'body'] as const)(
    'F-45 answers 4xx at the %s, a mail waits longer and longer, and is sent once when that is over',
    async (stage) => {
      const outbox = await openOutbox({ kinds: [withToken] })
      await outbox.put(mailTo(await outbox.member('anna'), withToken))
      outbox.server.trouble(stage, 450, 'not now')
      await outbox.run()
      expect(await rows(outbox)).toMatchObject([
        { state: 'waiting', attempts: 1, last_error: expect.stringContaining('not now') },
      ])
      // Not before its time.
      outbox.clock.forward('59s')
      await outbox.run()
      expect(await rows(outbox)).toMatchObject([{ attempts: 1 }])
      outbox.clock.forward('1s')
      await outbox.run()
      outbox.clock.forward('4m')
      await outbox.run()
      expect(await rows(outbox)).toMatchObject([{ attempts: 2 }])
      outbox.server.trouble(stage, undefined)
      outbox.clock.forward('1m')
      await outbox.run()
      await outbox.run()
      expect(outbox.server.mails).toHaveLength(1)
      expect(await rows(outbox)).toEqual([])
      expect(await findToken(outbox.core, PROOF, tokenIn(outbox.server.mails[0]))).toBeDefined()
    },
  )

  test('F-45 is away, nothing is lost, across a restart, and each mail is sent once', async () => {
    const outbox = await openOutbox({ kinds: [kind] })
    const users = [await outbox.member('anna'), await outbox.member('bert'), await outbox.member('cora')]
    outbox.server.trouble('greeting', 'hang up')
    await outbox.put(...users.map((user, number) => mailTo(user, kind, number)))
    await outbox.run()
    const again = await outbox.restart()
    again.server.trouble('greeting', undefined)
    again.clock.forward('1h')
    await again.run()
    await again.run()
    expect(subjects(again).sort()).toEqual(['Number 0 for anna', 'Number 1 for bert', 'Number 2 for cora'])
    expect(await rows(again)).toEqual([])
  })

  test('never takes it, the mail ends as failed with the reason, and its link is dead', async () => {
    const outbox = await openOutbox({ kinds: [withToken] })
    await outbox.put(mailTo(await outbox.member('anna'), withToken))
    outbox.server.trouble('body', 450, 'not now')
    for (let hour = 0; hour <= 72; hour++) {
      await outbox.run()
      outbox.clock.forward('1h')
    }
    expect(await rows(outbox)).toMatchObject([{ state: 'failed', last_error: expect.stringContaining('not now') }])
    expect(await inDatabase({ database: outbox.database }, 'SELECT * FROM guildhall_tokens')).toEqual([])
  })

  test('refuses the content for good, the mail is not tried again', async () => {
    const outbox = await openOutbox({ kinds: [kind] })
    await outbox.put(mailTo(await outbox.member('anna'), kind))
    outbox.server.trouble('body', 554, 'spam')
    await outbox.run()
    outbox.server.trouble('body', undefined)
    outbox.clock.forward('1d')
    await outbox.run()
    expect(outbox.server.mails).toEqual([])
    expect(await rows(outbox)).toMatchObject([{ state: 'failed', attempts: 1, last_error: expect.stringContaining('spam') }])
  })

  test('refuses a recipient for good, the address is marked: what strangers ask for is not sent there, notifications are', async () => {
    const outbox = await openOutbox({ kinds: [kind, requested] })
    const user = await outbox.member('anna')
    await outbox.put(mailTo(user, requested, 1))
    outbox.server.trouble('recipient', 550, 'no such mailbox')
    await outbox.run()
    expect((await outbox.core.db.findUser(user.id))?.isUndeliverable).toBe(true)
    outbox.server.trouble('recipient', undefined)
    await outbox.put(mailTo(user, requested, 2), mailTo(user, kind, 3))
    await outbox.run()
    expect(subjects(outbox)).toEqual(['Number 3 for anna'])
  })

  test('eight refused addresses at the head hold up nobody behind them', async () => {
    const outbox = await openOutbox({ kinds: [kind] })
    const refused = await Promise.all(Array.from({ length: 8 }, (_, n) => outbox.member(`refused-${n}`)))
    await outbox.put(...refused.map((user) => mailTo(user, kind)))
    outbox.server.trouble('recipient', 450, 'greylisted')
    await outbox.run()
    outbox.server.trouble('recipient', undefined)
    await outbox.put(mailTo(await outbox.member('anna'), kind, 9))
    await outbox.run()
    expect(subjects(outbox)).toEqual(['Number 9 for anna'])
    outbox.clock.forward('1m')
    await outbox.run()
    expect(outbox.server.mails).toHaveLength(9)
  })
})

describe('a mail that would arrive dead is not sent:', () => {
  test.each<[string, string]>([
    ['whose credentials have changed', 'UPDATE guildhall_users SET credential_epoch = credential_epoch + 1'],
    ['who is gone', 'DELETE FROM guildhall_users'],
  ])('to somebody %s', async (_who, sql) => {
    const outbox = await openOutbox({ kinds: [withToken] })
    await outbox.put(mailTo(await outbox.member('anna'), withToken))
    await inDatabase({ database: outbox.database }, sql)
    await outbox.run()
    expect([outbox.server.mails, await rows(outbox)]).toEqual([[], []])
  })

  test('to an address that the user has no more', async () => {
    const bound = mailKind({ purpose: { ...PROOF, isBoundToAddress: true } })
    const outbox = await openOutbox({ kinds: [bound] })
    await outbox.put(mailTo(await outbox.member('anna'), bound))
    await inDatabase({ database: outbox.database }, "UPDATE guildhall_users SET email_key = 'new@example.org'")
    await outbox.run()
    expect([outbox.server.mails, await rows(outbox)]).toEqual([[], []])
  })

  test('with a link that was used after the server had taken the mail and before that was written down', async () => {
    const outbox = await openOutbox({ kinds: [withToken] })
    await outbox.put(mailTo(await outbox.member('anna'), withToken))
    outbox.server.trouble('body', 450)
    await outbox.run()
    await inDatabase({ database: outbox.database }, 'DELETE FROM guildhall_tokens')
    outbox.server.trouble('body', undefined)
    outbox.clock.forward('1m')
    await outbox.run()
    expect([outbox.server.mails, await rows(outbox)]).toEqual([[], []])
  })

  test('G-04 with a fourth link for one thing; the first three stay good', async () => {
    const outbox = await openOutbox({ kinds: [withToken] })
    const user = await outbox.member('anna')
    await outbox.put(...[1, 2, 3, 4].map((number) => mailTo(user, withToken, number)))
    await outbox.run()
    expect(outbox.server.mails).toHaveLength(3)
    for (const mail of outbox.server.mails) expect(await findToken(outbox.core, PROOF, tokenIn(mail))).toBeDefined()
  })
})

describe('after a rotation of SECRET', () => {
  test('a mail that is sent again has the same link, as long as the old one is kept', async () => {
    const outbox = await openOutbox({ kinds: [withToken] })
    await outbox.put(mailTo(await outbox.member('anna'), withToken))
    outbox.server.trouble('body', 450)
    await outbox.run()
    const [row] = await inDatabase({ database: outbox.database }, 'SELECT hash FROM guildhall_tokens')
    const again = await outbox.restart({
      secret: ['another secret of thirty-two bytes, or more', 'a secret of thirty-two bytes, or more'],
    })
    again.server.trouble('body', undefined)
    again.clock.forward('1m')
    await again.run()
    const found = await findToken(again.core, PROOF, tokenIn(again.server.mails[0]))
    expect(found?.hash).toBe(row?.hash)
  })

  test('without the old one it fails, and the operator reads what to do', async () => {
    const outbox = await openOutbox({ kinds: [withToken] })
    await outbox.put(mailTo(await outbox.member('anna'), withToken))
    const again = await outbox.restart({ secret: 'another secret of thirty-two bytes, or more' })
    await again.run()
    expect(await rows(again)).toMatchObject([{ state: 'failed', last_error: expect.stringContaining('add the old one') }])
  })
})

describe('what a stranger asks for', () => {
  /** Answers to the name of a member. */
  const request: RequestKind = {
    name: 'ask',
    async decide(core, { identifier, locale }) {
      const found = await core.db.first(findUserByKey, { usernameKey: identifier })
      return found?.email && found.emailKey
        ? [{ kind: requested, user: found, to: found.email, toKey: found.emailKey, locale }]
        : []
    },
  }
  const ask = ({ core }: OutboxOfTest, identifier: string, ip = '203.0.113.7') =>
    core.db.transaction([requestStatement(core, request, identifier, { ...OPERATOR, ip })])

  test('is the same single row whoever it is about, and is taken half a second to two seconds later', async () => {
    const outbox = await openOutbox({ kinds: [requested], requests: [request] })
    await outbox.member('anna')
    await ask(outbox, 'anna')
    await ask(outbox, 'nobody')
    const stored = await inDatabase({ database: outbox.database }, 'SELECT * FROM guildhall_mails ORDER BY id')
    expect(stored).toHaveLength(2)
    for (const row of stored) {
      expect(row).toMatchObject({ user_id: null, recipient: null, kind: 'ask', attempts: 0 })
      const delay = Number(row.due_at) - outbox.clock.now()
      expect(delay).toBeGreaterThanOrEqual(500)
      expect(delay).toBeLessThanOrEqual(2000)
    }
    outbox.core.outbox.ring()
    outbox.clock.forward('499ms')
    await outbox.run()
    expect(outbox.server.mails).toEqual([])
    outbox.clock.forward('1501ms')
    await outbox.run()
    expect(outbox.server.mails).toHaveLength(1)
    expect(await rows(outbox)).toEqual([])
  })

  test('waits once, however often it is asked for, in any letter case, and cut at 254 characters', async () => {
    const outbox = await openOutbox({ kinds: [requested], requests: [request] })
    await Promise.all(Array.from({ length: 100 }, (_, n) => ask(outbox, n % 2 === 0 ? 'anna' : ' ANNA ')))
    await ask(outbox, 'x'.repeat(1_000_000))
    const stored = await inDatabase({ database: outbox.database }, 'SELECT data FROM guildhall_mails')
    expect(stored).toHaveLength(2)
    for (const { data } of stored) expect(JSON.parse(String(data)).identifier.length).toBeLessThanOrEqual(254)
  })

  test('G-10 is sent five times an hour to one mailbox, whatever networks it comes from; notifications go on', async () => {
    const outbox = await openOutbox({ kinds: [kind, requested], requests: [request] })
    const user = await outbox.member('anna')
    for (let n = 0; n < 20; n++) {
      await ask(outbox, 'anna', `198.51.${n}.7`)
      outbox.clock.forward('2s')
      await outbox.run()
    }
    expect(outbox.server.mails).toHaveLength(5)
    await outbox.put(mailTo(user, kind))
    await outbox.run()
    expect(outbox.server.mails).toHaveLength(6)
    outbox.clock.forward('1h')
    await ask(outbox, 'anna')
    outbox.clock.forward('2s')
    await outbox.run()
    expect(outbox.server.mails).toHaveLength(7)
  })

  test('a request that cannot be decided holds up nobody, and is tried again later', async () => {
    let isBroken = true
    const broken: RequestKind = {
      name: 'broken',
      async decide() {
        if (isBroken) throw new Error('a mistake')
        return []
      },
    }
    const outbox = await openOutbox({ kinds: [kind], requests: [broken] })
    await outbox.core.db.transaction([requestStatement(outbox.core, broken, 'anna', OPERATOR)])
    outbox.clock.forward('2s')
    await outbox.put(mailTo(await outbox.member('anna'), kind))
    await outbox.run()
    expect(outbox.server.mails).toHaveLength(1)
    expect(outbox.logs.filter(({ level }) => level === 'error')).toHaveLength(1)
    isBroken = false
    outbox.clock.forward('5m')
    await outbox.run()
    expect(await rows(outbox)).toEqual([])
  })
})

test('of four processes on one outbox each mail is sent once, and one process works at a time', async () => {
  const outbox = await openOutbox({ kinds: [kind] })
  const others = await Promise.all([1, 2, 3].map(() => outbox.another()))
  const users = await Promise.all(Array.from({ length: 10 }, (_, n) => outbox.member(`member-${n}`)))
  await outbox.put(...users.flatMap((user) => [1, 2, 3, 4].map((number) => mailTo(user, kind, number))))
  await Promise.all([outbox, ...others].map((each) => each.run()))
  await until(async () => (await rows(outbox)).length === 0)
  expect(outbox.server.mails).toHaveLength(40)
  expect(new Set(outbox.server.mails.map(({ parsed }) => parsed.messageId)).size).toBe(40)
  for (const user of users)
    expect(outbox.mailsTo(user.email ?? '').map(({ parsed }) => parsed.subject)).toEqual(
      [1, 2, 3, 4].map((number) => `Number ${number} for ${user.username}`),
    )
})

test('a process whose clock is behind sends the next mail, as soon as another one has sent its own', async () => {
  const outbox = await openOutbox({ kinds: [kind] })
  const user = await outbox.member('anna')
  const ahead = await outbox.another({ clock: { now: () => outbox.clock.now() + 120_000 } })
  await outbox.put(mailTo(user, kind, 1))
  await ahead.run()
  await outbox.put(mailTo(user, kind, 2))
  await outbox.run()
  expect(subjects(outbox)).toEqual(['Number 1 for anna', 'Number 2 for anna'])
})
