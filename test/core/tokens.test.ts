// One-time tokens: what a mail brings opens one thing, once, for as long as it lives.
import { expect, test } from 'vitest'
import { auditEvent } from '../../src/core/audit.ts'
import { OPERATOR } from '../../src/core/caller.ts'
import type { Core } from '../../src/core/core.ts'
import { credentialsChanged } from '../../src/core/credentials-changed.ts'
import { deriveToken, findToken, findTokenByCode, type TokenPurpose, useToken } from '../../src/core/tokens.ts'
import type { MembershipError } from '../../src/domain/errors.ts'
import { bind } from '../../src/storage/statement.ts'
import { endAddressTokens } from '../../src/storage/tokens.ts'
import { setDisplayName } from '../../src/storage/users.ts'
import { bytesAtRest, inDatabase } from '../support/database-inspector.ts'
import { codeIn, mailKind, mailTo, openOutbox, PROOF, tokenIn } from '../support/mail-site.ts'

async function sent(purpose: TokenPurpose = PROOF) {
  const kind = mailKind({ purpose })
  const outbox = await openOutbox({ kinds: [kind] })
  const user = await outbox.member('anna')
  await outbox.put(mailTo(user, kind))
  await outbox.run()
  const [mail] = outbox.mailsTo('anna@example.org')
  return { ...outbox, kind, user, token: tokenIn(mail), code: purpose.hasCode ? codeIn(mail) : '' }
}

async function use(core: Core, token: string): Promise<boolean> {
  const found = await findToken(core, PROOF, token)
  if (!found) return false
  return core.db.transaction([useToken(found, core.clock.now())]).then(
    () => true,
    () => false,
  )
}

test('E-11 of a hundred uses of one token at once one succeeds, and it works no more', async () => {
  const { core, token } = await sent()
  const used = await Promise.all(Array.from({ length: 100 }, () => use(core, token)))
  expect(used.filter(Boolean)).toHaveLength(1)
  expect(await findToken(core, PROOF, token)).toBeUndefined()
})

test('G-03 of a hundred changes with one token at once one is made, and the others are told that it was used', async () => {
  const { core, token, user } = await sent()
  const changed = auditEvent('status_changed')
  const token1 = await findToken(core, PROOF, token)
  const change = (number: number) =>
    credentialsChanged(
      core,
      user.id,
      ({ id }) => ({
        because: changed,
        token: token1,
        statements: [bind(setDisplayName, { id, displayName: `Number ${number}` }, { expectRows: 1 })],
      }),
      OPERATOR,
    )
  const outcomes = await Promise.allSettled(Array.from({ length: 100 }, (_, number) => change(number)))
  const refused = outcomes.filter((outcome) => outcome.status === 'rejected').map(({ reason }) => reason)
  expect(refused).toHaveLength(99)
  for (const reason of refused) expect(reason).toMatchObject({ code: 'invalid_token' } satisfies Partial<MembershipError>)
  const winner = outcomes.findIndex(({ status }) => status === 'fulfilled')
  expect((await core.db.findUser(user.id))?.displayName).toBe(`Number ${winner}`)
  expect((await core.db.findUser(user.id))?.credentialEpoch).toBe(user.credentialEpoch + 1)
})

test('E-08 a token is good for its purpose alone, until its time, and not for another user', async () => {
  const { core, token, user, clock } = await sent()
  expect(await findToken(core, { ...PROOF, name: 'another' }, token)).toBeUndefined()
  expect((await findToken(core, PROOF, token))?.user.id).toBe(user.id)
  clock.forward('60m')
  expect(await findToken(core, PROOF, token)).toBeUndefined()
})

test('E-08 the life of a token begins when its mail leaves, not when it is written', async () => {
  const kind = mailKind({ purpose: PROOF })
  const { core, clock, put, run, member, mailsTo } = await openOutbox({ kinds: [kind] })
  const user = await member('anna')
  await put(mailTo(user, kind))
  clock.forward('5h')
  await run()
  clock.forward('59m')
  expect(await findToken(core, PROOF, tokenIn(mailsTo('anna@example.org')[0]))).toBeDefined()
})

test.each(['', ' ', 'null', 'undefined', 'A'.repeat(21), 'A'.repeat(23), `${'A'.repeat(21)}\0`, '%', "' OR 1=1 --"])(
  'E-17 the token %j is nobody’s',
  async (token) => {
    const { core } = await sent()
    await inDatabase(
      { database: core.settings.database as string },
      "UPDATE guildhall_tokens SET hash = '' WHERE hash IS NOT NULL",
    )
    expect(await findToken(core, PROOF, token)).toBeUndefined()
  },
)

test('a change of the credentials ends what ends with them, and leaves what outlives every change', async () => {
  const undo: TokenPurpose = { name: 'undo', endsWith: 'nothing', lifeMs: 3_600_000 }
  const kinds = [mailKind({ purpose: PROOF }), mailKind({ name: 'undo', purpose: undo })]
  const { core, put, run, member, mailsTo } = await openOutbox({ kinds })
  const user = await member('anna')
  await put(...kinds.map((kind) => mailTo(user, kind)))
  await run()
  const [proof, other] = mailsTo('anna@example.org').map((mail) => tokenIn(mail))
  await credentialsChanged(core, user.id, () => ({ because: auditEvent('status_changed'), statements: [] }), OPERATOR)
  const found = [await findToken(core, PROOF, proof ?? ''), await findToken(core, undo, other ?? '')]
  const live = [await findToken(core, PROOF, other ?? ''), await findToken(core, undo, proof ?? '')]
  expect([...found, ...live].filter((token) => token !== undefined)).toHaveLength(1)
})

test('a proof of the address ends what ends with the address, and leaves the rest', async () => {
  const purposes = (['address', 'credentials', 'nothing'] as const).map((endsWith) => ({
    name: endsWith,
    endsWith,
    lifeMs: 3_600_000,
  }))
  const kinds = purposes.map((purpose) => mailKind({ name: purpose.name, purpose }))
  const { core, put, run, member, mailsTo } = await openOutbox({ kinds })
  const user = await member('anna')
  await put(...kinds.map((kind) => mailTo(user, kind)))
  await run()
  const tokens = mailsTo('anna@example.org').map((mail) => tokenIn(mail))
  const live = async () => {
    const found = purposes.flatMap((purpose) => tokens.map((token) => findToken(core, purpose, token)))
    return (await Promise.all(found)).filter((token) => token !== undefined).length
  }
  expect(await live()).toBe(3)
  await core.db.transaction([bind(endAddressTokens, { userId: user.id })])
  expect(await live()).toBe(2)
})

test('a token that is bound to an address ends when the user has another', async () => {
  const { core, token, user, database } = await sent({ ...PROOF, isBoundToAddress: true })
  expect(await findToken(core, { ...PROOF, isBoundToAddress: true }, token)).toBeDefined()
  await inDatabase({ database }, "UPDATE guildhall_users SET email_key = 'other@example.org' WHERE id = ?", user.id)
  expect(await findToken(core, { ...PROOF, isBoundToAddress: true }, token)).toBeUndefined()
})

test('E-10 of two hundred wrong codes at once five are compared, and then the right one is refused', async () => {
  const { core, user, code, database } = await sent()
  await Promise.all(Array.from({ length: 200 }, () => findTokenByCode(core, PROOF, user.id, 'BBBB-BBBB')))
  expect(await inDatabase({ database }, 'SELECT tries FROM guildhall_tokens')).toEqual([{ tries: 5 }])
  expect(await findTokenByCode(core, PROOF, user.id, code)).toBeUndefined()
})

test('a code works as it is read aloud: in small letters, with spaces, without the dash', async () => {
  const { core, user, code } = await sent()
  for (const typed of [code.toLowerCase(), ` ${code.replace('-', ' ')} `, code.replace('-', '')])
    expect((await findTokenByCode(core, PROOF, user.id, typed))?.user.id).toBe(user.id)
})

test('a code is good for its own user and purpose alone, and what is no code counts no try', async () => {
  const { core, code, user, member, database } = await sent()
  const other = await member('bert')
  expect(await findTokenByCode(core, PROOF, other.id, code)).toBeUndefined()
  expect(await findTokenByCode(core, { ...PROOF, name: 'another' }, user.id, code)).toBeUndefined()
  for (const text of ['', 'BBBB', 'B'.repeat(9), '%'.repeat(1_000_000)])
    expect(await findTokenByCode(core, PROOF, user.id, text)).toBeUndefined()
  expect(await inDatabase({ database }, 'SELECT tries FROM guildhall_tokens')).toEqual([{ tries: 0 }])
})

test('E-08 no token and no code is in the database, its log, or what is logged', async () => {
  const { core, token, code, database, logs, put, user, kind, run, server } = await sent()
  server.trouble('recipient', 450)
  await put(mailTo(user, kind))
  await run()
  const kept = (await bytesAtRest({ database })) + JSON.stringify(logs)
  expect(await findToken(core, PROOF, token)).toBeDefined()
  for (const secret of [token, code, code.replace('-', '')]) expect(kept.includes(secret)).toBe(false)
})

test('tokens and codes differ with every part that they are derived from, and their letters are evenly spread', () => {
  const key = new Uint8Array(32).fill(7)
  const seed = { purpose: 'proof', userId: 'u', emailKey: 'a@example.org', epoch: 1, nonce: 'n' }
  const others = [{ purpose: 'q' }, { userId: 'v' }, { emailKey: 'b@example.org' }, { epoch: 2 }, { nonce: 'm' }]
  const derived = [seed, ...others.map((part) => ({ ...seed, ...part }))].map((parts) => deriveToken(key, parts))
  expect(new Set(derived.map(({ token }) => token)).size).toBe(derived.length)
  expect(new Set(derived.map(({ code }) => code)).size).toBe(derived.length)
  expect(deriveToken(key, seed)).toEqual(derived[0])
  expect(deriveToken(new Uint8Array(32).fill(8), seed).token).not.toBe(derived[0]?.token)

  const letters = new Map<string, number>()
  const CODES = 5000
  for (let n = 0; n < CODES; n++)
    for (const letter of deriveToken(key, { ...seed, nonce: String(n) }).code) letters.set(letter, (letters.get(letter) ?? 0) + 1)
  expect([...letters.keys()].sort().join('')).toBe('BCDFGHJKLMNPQRSTVWXZ')
  // 2000 each, and a standard deviation of 44.
  for (const count of letters.values()) expect(Math.abs(count - (CODES * 8) / 20)).toBeLessThan(250)
})
