// Sends one mail of the outbox: composes it, derives its token, and keeps what became of it.
import { toUser } from '../domain/user.ts'
import { composeMail } from '../mail/compose.ts'
import { addressMail, type MailContent, MailError, type Mailer } from '../mail/mail.ts'
import { type StoredUser, UnexpectedRowCountError } from '../storage/contract.ts'
import { claimMail, deleteMail, failMail, keepMailError, postponeMail, type StoredMail } from '../storage/mails.ts'
import { type BoundStatement, bind } from '../storage/statement.ts'
import { countTokens, deleteToken, findTokenRow, insertToken, limitToken, renewToken } from '../storage/tokens.ts'
import { findUserById, setUndeliverable } from '../storage/users.ts'
import type { Core } from './core.ts'
import type { MailContext, MailKind } from './mail-kind.ts'
import { composeTestMail, TEST_MAIL } from './test-mail.ts'
import { type DerivedToken, deriveToken, type TokenPurpose } from './tokens.ts'

/** What the worker cannot know: the kinds of all features, their texts, and the addresses of pages. */
export interface MailTexts {
  readonly kinds: ReadonlyMap<string, MailKind>
  translate(locale: string | undefined): MailContext['t']
  /** The absolute address of a page. */
  link(path: string, token: string | undefined): string
  isServed(path: string): boolean
}

export type Delivery = 'sent' | 'dropped' | 'postponed' | 'failed' | 'taken'

const MINUTE_MS = 60_000
/** Longer than a try takes, or another process would begin the next one meanwhile. */
const BACKOFF_MS = [1, 5, 15, 30, 60, 120, 240, 480].map((minutes) => minutes * MINUTE_MS)
/** A mail that could not be sent is kept so long for the operator. */
const FAILED_MS = 30 * 24 * 60 * MINUTE_MS
const MAX_LIVE = 3
const MAX_ERROR = 500

/** A mail that may go. */
interface Prepared {
  readonly content: () => MailContent
  /** Undefined for the operator's test mail. */
  readonly user?: StoredUser
  readonly purpose?: TokenPurpose | undefined
  readonly derived?: DerivedToken | undefined
}

export async function deliverMail(core: Core, mailer: Mailer, texts: MailTexts, mail: StoredMail): Promise<Delivery> {
  const isTest = mail.kind === TEST_MAIL
  const prepared = isTest ? { content: () => composeTestMail(core.settings) } : await prepare(core, texts, mail)
  if (typeof prepared === 'string') return prepared
  const claimed = await claim(core, mail, prepared)
  if (claimed !== 'claimed') return claimed
  try {
    await mailer.send(addressMail(prepared.content(), { id: mail.id, to: mail.recipient ?? '', from: fromOf(core) }))
  } catch (error) {
    return notSent(core, mail, prepared, error)
  }
  await finish(core, mail, prepared)
  return 'sent'
}

async function finish(core: Core, { id }: StoredMail, { purpose, derived }: Prepared): Promise<void> {
  if (!purpose || !derived) return void (await core.db.write(deleteMail, { id }))
  const expiresAt = core.clock.now() + purpose.lifeMs
  await core.db.transaction([bind(deleteMail, { id }), bind(limitToken, { hash: derived.hash, expiresAt })])
}

async function prepare(core: Core, texts: MailTexts, mail: StoredMail): Promise<Prepared | 'dropped' | 'failed' | 'taken'> {
  const kind = texts.kinds.get(mail.kind)
  if (!kind) return leaveToOthers(core, mail)
  const user = mail.userId === undefined ? undefined : await core.db.first(findUserById, { id: mail.userId })
  if (!user || isDead(kind, mail, user)) return drop(core, mail)
  const derived = kind.purpose && derive(core, kind.purpose, mail, user)
  if (derived === 'no key')
    return fail(
      core,
      mail,
      undefined,
      'the SECRET that its link is derived with is not set any more: add the old one, after a comma',
    )
  if (derived && kind.purpose && (await hasTooMany(core, kind.purpose, mail, derived))) return drop(core, mail)
  return { content: () => compose(core, texts, kind, { mail, user, derived }), user, purpose: kind.purpose, derived }
}

/** The pause after so many tries. */
function backoffMs(attempts: number): number {
  return BACKOFF_MS[Math.min(attempts, BACKOFF_MS.length - 1)] ?? MINUTE_MS
}

/** Whether it would arrive dead, or about something that is over. */
function isDead({ purpose, isNotification, isStale }: MailKind, mail: StoredMail, user: StoredUser): boolean {
  if (isStale?.(user, mail.recipient ?? '')) return true
  if (!isNotification && user.isUndeliverable && user.emailKey === mail.recipientKey) return true
  if (!purpose) return false
  if (purpose.isBoundToAddress && user.emailKey !== mail.recipientKey) return true
  return purpose.endsWith !== 'nothing' && user.credentialEpoch !== mail.epoch
}

function derive(core: Core, purpose: TokenPurpose, mail: StoredMail, user: StoredUser): DerivedToken | 'no key' {
  // The key of its first try: sent again after a rotation of SECRET, it has the same link.
  const key = core.mailKeys.find(({ id }) => id === mail.keyId)
  if (!key) return 'no key'
  const { recipientKey: emailKey = '', epoch = 0, nonce } = mail
  return deriveToken(key.bytes, { purpose: purpose.name, userId: user.id, emailKey, epoch, nonce })
}

async function hasTooMany(core: Core, purpose: TokenPurpose, mail: StoredMail, { hash }: DerivedToken): Promise<boolean> {
  const since = core.clock.now() - purpose.lifeMs
  if (await core.db.first(findTokenRow, { hash, purpose: purpose.name, since })) return false
  const live = (await core.db.first(countTokens, { userId: mail.userId ?? '', purpose: purpose.name, since })) ?? 0
  return live >= (purpose.maxLive ?? MAX_LIVE)
}

/**
 * Counts the try and makes the token, in one transaction: a token that is gone at a later try was used after the mail had arrived, and is not
 * made again.
 */
async function claim(core: Core, mail: StoredMail, { purpose, derived }: Prepared): Promise<'claimed' | 'dropped' | 'taken'> {
  const { id, attempts } = mail
  const now = core.clock.now()
  const retryAt = now + backoffMs(attempts)
  const statements: BoundStatement[] = [bind(claimMail, { id, attempts, retryAt }, { expectRows: 1 })]
  if (purpose && derived) statements.push(tokenStatement(mail, purpose, derived, now))
  try {
    await core.db.transaction(statements)
    return 'claimed'
  } catch (error) {
    if (!(error instanceof UnexpectedRowCountError)) throw error
    if (error.statement !== renewToken.name) return 'taken'
    await drop(core, mail)
    return 'dropped'
  }
}

function tokenStatement(mail: StoredMail, purpose: TokenPurpose, derived: DerivedToken, now: number): BoundStatement {
  const { hash } = derived
  if (mail.attempts > 0) return bind(renewToken, { hash, now }, { expectRows: 1 })
  const values = {
    hash,
    purpose: purpose.name,
    userId: mail.userId ?? '',
    endsWith: purpose.endsWith,
    emailKey: mail.recipientKey ?? '',
    code: purpose.hasCode ? derived.codeDigest : undefined,
    codeKey: purpose.hasCode ? mail.keyId : undefined,
    data: mail.data,
    now,
    // The row outlives its mail, however long the mail server is away: one that is missing was used.
    expiresAt: Math.max(now, mail.expiresAt) + purpose.lifeMs,
  }
  return bind(insertToken, values, { expectRows: 1 })
}

interface Composed {
  readonly mail: StoredMail
  readonly user: StoredUser
  readonly derived: DerivedToken | undefined
}

function compose(core: Core, texts: MailTexts, kind: MailKind, { mail, user, derived }: Composed): MailContent {
  const t = texts.translate(mail.locale)
  const { siteName } = core.settings
  const code = kind.purpose?.hasCode && derived ? `${derived.code.slice(0, 4)}-${derived.code.slice(4)}` : ''
  const composition = kind.compose({
    t,
    user: toUser(user),
    to: mail.recipient ?? '',
    data: JSON.parse(mail.data),
    siteName,
    createdAt: mail.createdAt,
    link: (path) => texts.link(path, derived?.token),
    isServed: (path) => texts.isServed(path),
    code,
  })
  return composeMail({ ...composition, lang: t.locale }, siteName)
}

async function notSent(core: Core, mail: StoredMail, { user, derived }: Prepared, error: unknown): Promise<Delivery> {
  const { permanent, recipientRefused } = refusalOf(error)
  const text = error instanceof Error ? error.message : String(error)
  const isFinal = permanent || core.clock.now() + backoffMs(mail.attempts) >= mail.expiresAt
  core.log.warn(
    { mail: mail.id, kind: mail.kind, err: error },
    isFinal ? 'a mail was not sent' : 'a mail was not sent, and is tried again',
  )
  if (recipientRefused && user?.emailKey !== undefined && user.emailKey === mail.recipientKey)
    await core.db.write(setUndeliverable, { id: user.id, emailKey: user.emailKey, at: core.clock.now() })
  if (isFinal) return fail(core, mail, derived, text)
  await core.db.write(keepMailError, { id: mail.id, error: shortened(text) })
  return 'postponed'
}

/** An own mailer may reject with an error of its own. */
function refusalOf(error: unknown): { readonly permanent: boolean; readonly recipientRefused: boolean } {
  if (error instanceof MailError) return error
  const is = (name: string) => error instanceof Error && Reflect.get(error, name) === true
  return { permanent: is('permanent'), recipientRefused: is('recipientRefused') }
}

/** While the processes of a site are renewed, one of before may find a mail of a newer one. */
async function leaveToOthers(core: Core, { id, kind }: StoredMail): Promise<'taken'> {
  const error = `this program has no mail of the kind ${kind}: a newer one may have, or a feature is left out`
  await core.db.write(postponeMail, { id, dueAt: core.clock.now() + MINUTE_MS, error })
  return 'taken'
}

async function drop(core: Core, mail: StoredMail): Promise<'dropped'> {
  await core.db.write(deleteMail, { id: mail.id })
  return 'dropped'
}

/** Nobody has the token of a mail that was not accepted. */
async function fail(core: Core, mail: StoredMail, derived: DerivedToken | undefined, text: string): Promise<'failed'> {
  await core.db.transaction([
    bind(failMail, { id: mail.id, error: shortened(text), expiresAt: core.clock.now() + FAILED_MS }),
    ...(derived ? [bind(deleteToken, { hash: derived.hash })] : []),
  ])
  return 'failed'
}

function shortened(text: string): string {
  return text.slice(0, MAX_ERROR)
}

function fromOf({ settings }: Core) {
  if (!settings.mail) throw new TypeError('mail is not set up')
  return settings.mail.from
}
