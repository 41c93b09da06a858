// What happens to mails when the mail server, the program or the operator come in between.
import { expect, test } from 'vitest'
import { findToken } from '../../src/core/tokens.ts'
import { deleteExpiredMails } from '../../src/storage/mails.ts'
import { deleteExpiredTokens } from '../../src/storage/tokens.ts'
import { retryMails } from '../../src/users/mails.ts'
import { inDatabase } from '../support/database-inspector.ts'
import { mailKind, mailTo, type OutboxOfTest, openOutbox, PROOF, tokenIn } from '../support/mail-site.ts'
import { until } from '../support/until.ts'

const kind = mailKind()
const withToken = mailKind({ name: 'with-token', isNotification: false, purpose: PROOF })

const rows = ({ database }: OutboxOfTest) =>
  inDatabase({ database }, 'SELECT id, state, attempts, last_error FROM guildhall_mails ORDER BY id')
const tokens = async ({ database }: OutboxOfTest) => (await inDatabase({ database }, 'SELECT hash FROM guildhall_tokens')).length

/** What the background does. */
async function cleanUp({ core }: OutboxOfTest): Promise<void> {
  const now = core.clock.now()
  await core.db.write(deleteExpiredTokens, { now, limit: 100 })
  await core.db.write(deleteExpiredMails, { now, limit: 100 })
}

test('F-45 a link that waits for longer than it lives, as the mail server is away, arrives and lives from then on', async () => {
  const outbox = await openOutbox({ kinds: [withToken] })
  await outbox.put(mailTo(await outbox.member('anna'), withToken))
  outbox.server.trouble('greeting', 'hang up')
  for (let hour = 0; hour < 5; hour++) {
    await outbox.run()
    outbox.clock.forward('61m')
    await cleanUp(outbox)
  }
  outbox.server.trouble('greeting', undefined)
  outbox.clock.forward('2h')
  await outbox.run()
  expect(outbox.server.mails).toHaveLength(1)
  const token = tokenIn(outbox.server.mails[0])
  outbox.clock.forward('59m')
  expect(await findToken(outbox.core, PROOF, token)).toBeDefined()
  outbox.clock.forward('1m')
  expect(await findToken(outbox.core, PROOF, token)).toBeUndefined()
  await cleanUp(outbox)
  expect(await tokens(outbox)).toBe(0)
})

test('a mail that arrived, though the mail server did not say so, has a link that lives no longer than others', async () => {
  const outbox = await openOutbox({ kinds: [withToken] })
  await outbox.put(mailTo(await outbox.member('anna'), withToken))
  outbox.server.trouble('body', 451, 'it may have arrived')
  await outbox.run()
  const token = /token=([\w-]{22})/.exec(String(outbox.server.refused[0]))?.[1] ?? ''
  outbox.clock.forward('59m')
  expect(await findToken(outbox.core, PROOF, token)).toBeDefined()
  outbox.clock.forward('1m')
  expect(await findToken(outbox.core, PROOF, token)).toBeUndefined()
})

test('a mail of a kind that this program does not have waits for one that has it, and costs nobody else anything', async () => {
  const outbox = await openOutbox({ kinds: [kind] })
  const user = await outbox.member('anna')
  await outbox.put(mailTo(user, mailKind({ name: 'of-a-newer-program' })), mailTo(user, kind))
  await outbox.run()
  expect(outbox.server.mails).toHaveLength(1)
  expect(await rows(outbox)).toMatchObject([
    { state: 'waiting', attempts: 0, last_error: expect.stringContaining('no mail of the kind') },
  ])
})

test('a mail that a fault of the program holds up keeps its link, and is tried again', async () => {
  let faults = 1
  const faulty = mailKind({
    name: 'faulty',
    purpose: PROOF,
    isStale() {
      if (faults-- > 0) throw new TypeError('a fault')
      return false
    },
  })
  const outbox = await openOutbox({ kinds: [faulty] })
  await outbox.put(mailTo(await outbox.member('anna'), faulty))
  await outbox.run()
  expect(await rows(outbox)).toMatchObject([{ state: 'waiting', attempts: 0 }])
  outbox.clock.forward('5m')
  await outbox.run()
  expect(await findToken(outbox.core, PROOF, tokenIn(outbox.server.mails[0]))).toBeDefined()
})

test('a mail that is no longer worth sending is not sent, even before the cleanup has come by', async () => {
  const outbox = await openOutbox({ kinds: [withToken] })
  await outbox.put(mailTo(await outbox.member('anna'), withToken))
  outbox.server.trouble('greeting', 'hang up')
  await outbox.run()
  outbox.server.trouble('greeting', undefined)
  outbox.clock.forward('25h')
  await outbox.run()
  expect(outbox.server.mails).toEqual([])
})

test('a process ends soon while a mail server hangs, and the next one sends the mail', async () => {
  const outbox = await openOutbox({ kinds: [kind] })
  await outbox.put(mailTo(await outbox.member('anna'), kind))
  outbox.server.trouble('greeting', 'hang')
  outbox.core.outbox.ring()
  await until(() => outbox.server.open() > 0)
  const next = await outbox.restart()
  // Before the mail server's time is over, which would be said here.
  expect(await rows(next)).toMatchObject([{ attempts: 1, last_error: null }])
  next.server.trouble('greeting', undefined)
  next.clock.forward('1m')
  await next.run()
  expect(next.server.mails).toHaveLength(1)
})

test('an operator tries mails again: those that failed as if they were new, those that wait at once, with the link they had', async () => {
  const outbox = await openOutbox({ kinds: [kind, withToken] })
  const user = await outbox.member('anna')
  outbox.server.trouble('body', 554, 'spam')
  await outbox.put(mailTo(user, kind, 1))
  await outbox.run()
  outbox.server.trouble('body', 451, 'not now')
  await outbox.put(mailTo(user, withToken, 2))
  await outbox.run()
  const [failed, waiting] = await rows(outbox)
  expect([failed, waiting]).toMatchObject([
    { state: 'failed', attempts: 1 },
    { state: 'waiting', attempts: 1 },
  ])
  outbox.server.trouble('body', undefined)
  expect(await retryMails(outbox.core, { id: 'nobody' })).toBe(0)
  expect(await retryMails(outbox.core, { id: String(waiting?.id) })).toBe(1)
  await outbox.run()
  expect(outbox.server.mails.map(({ parsed }) => parsed.subject)).toEqual(['Number 2 for anna'])
  expect(await findToken(outbox.core, PROOF, tokenIn(outbox.server.mails[0]))).toBeDefined()
  expect(await retryMails(outbox.core)).toBe(1)
  await outbox.run()
  expect(outbox.server.mails).toHaveLength(2)
  expect(await rows(outbox)).toEqual([])
})
