// An outbox of a test's own: a core without pages, whose mails go to a mail server of the test's own.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished } from 'vitest'
import { OPERATOR } from '../../src/core/caller.ts'
import { type Core, createCore } from '../../src/core/core.ts'
import type { MailKind, NewMail, RequestKind } from '../../src/core/mail-kind.ts'
import { mailStatement } from '../../src/core/outbox.ts'
import { type OutboxWorker, startOutbox } from '../../src/core/outbox-worker.ts'
import type { TokenPurpose } from '../../src/core/tokens.ts'
import { createTranslators } from '../../src/i18n/translate.ts'
import { settingsFrom } from '../../src/settings/check.ts'
import type { MembershipOptions } from '../../src/settings/options.ts'
import type { StoredUser } from '../../src/storage/contract.ts'
import { createUser } from '../../src/users/create-user.ts'
import { type TestClock, testClock } from './clock.ts'
import { inDatabase } from './database-inspector.ts'
import { borrowDatabase } from './postgres.ts'
import { CHEAP_HASHES, type LogLine, ON_POSTGRES } from './site.ts'
import { type MailServer, startMailServer, type TakenMail } from './smtp.ts'

export interface OutboxOfTest {
  readonly core: Core
  readonly clock: TestClock
  readonly database: string
  readonly server: MailServer
  readonly logs: readonly LogLine[]
  /** Puts mails into the outbox in one transaction, without waking the worker. */
  put(...mails: readonly NewMail[]): Promise<void>
  /** Does what is due. */
  run(): Promise<void>
  /** What the mail server has taken, the oldest first. */
  mailsTo(address: string): readonly TakenMail[]
  member(username: string): Promise<StoredUser>
  /** Another process on the same database and mail server, beside this one. */
  another(options?: Partial<MembershipOptions>): Promise<OutboxOfTest>
  /** As a process that starts again: another core on the same database and mail server. */
  restart(options?: Partial<MembershipOptions>): Promise<OutboxOfTest>
}

interface Kinds {
  readonly kinds: readonly MailKind[]
  readonly requests?: readonly RequestKind[]
}

/** Gone after the test. The clock stands still, and nothing is done by itself. */
export async function openOutbox(work: Kinds, options: Partial<MembershipOptions> = {}): Promise<OutboxOfTest> {
  const server = await startMailServer()
  const folder = mkdtempSync(join(tmpdir(), 'guildhall-'))
  const onServer = ON_POSTGRES ? await borrowDatabase() : undefined
  onTestFinished(async () => {
    await onServer?.drop()
    rmSync(folder, { recursive: true, force: true })
  })
  return start(work, { server, clock: testClock(), database: onServer?.url ?? `sqlite:${join(folder, 'members.db')}` }, options)
}

interface Places {
  readonly server: MailServer
  readonly clock: TestClock
  readonly database: string
}

async function start(work: Kinds, places: Places, options: Partial<MembershipOptions>): Promise<OutboxOfTest> {
  const { server, clock, database } = places
  const logs: LogLine[] = []
  const log = (level: string) => (fields: object, message: string) => void logs.push({ level, message, fields })
  const { settings, faults } = settingsFrom({
    baseUrl: 'https://example.org',
    database,
    secret: 'a secret of thirty-two bytes, or more',
    mail: { url: `smtp://127.0.0.1:${server.port}`, from: 'noreply@example.org' },
    passwords: CHEAP_HASHES,
    production: false,
    clock,
    logger: { debug: log('debug'), info: log('info'), warn: log('warn'), error: log('error') },
    ...options,
  })
  expect(faults).toEqual([])
  const core = createCore(settings)
  await core.db.migrate()
  const translators = createTranslators()
  const worker: OutboxWorker | undefined = startOutbox(core, {
    kinds: new Map(work.kinds.map((kind) => [kind.name, kind])),
    requests: new Map((work.requests ?? []).map((kind) => [kind.name, kind])),
    translate: (locale) => translators(locale === 'zh-TW' ? 'zh-TW' : 'en'),
    isServed: () => true,
    link: (path, token) => `https://example.org/${path}${token === undefined ? '' : `?token=${token}`}`,
  })
  let isOpen = true
  const close = async (): Promise<void> => {
    if (!isOpen) return
    isOpen = false
    await worker?.stop()
    await core.passwords.close()
    await core.db.close()
  }
  onTestFinished(close)
  return {
    ...places,
    core,
    logs,
    put: (...mails) => core.db.transaction(mails.map((mail) => mailStatement(core, mail))),
    run: async () => worker?.run(),
    mailsTo: (address) => server.mails.filter(({ to }) => to.includes(address)),
    async member(username) {
      const { id } = await createUser(core, { username, password: 'violet otter lantern' }, OPERATOR)
      return withAddress({ core, database }, id, `${username}@example.org`)
    },
    another: (changed = {}) => start(work, places, { ...options, ...changed }),
    async restart(changed = {}) {
      await close()
      return start(work, places, { ...options, ...changed })
    },
  }
}

/** Proves an address of a user. */
export async function withAddress(
  { core, database }: { core: Core; database: string },
  id: string,
  email: string,
): Promise<StoredUser> {
  const sql = 'UPDATE guildhall_users SET email = ?, email_key = ?, email_verified_at = ? WHERE id = ?'
  await inDatabase({ database }, sql, email, email.toLowerCase(), core.clock.now(), id)
  const user = await core.db.findUser(id)
  if (!user) throw new Error('there is no such user')
  return user
}

/** The token in the link of a mail. */
export function tokenIn(mail: TakenMail | undefined): string {
  const token = /[?&]token=([\w-]{22})(?:\s|$)/.exec(mail?.parsed.text ?? '')?.[1]
  expect(token, 'the mail has a link with a token').toBeDefined()
  return token ?? ''
}

/** The code that a mail shows, as it shows it. */
export function codeIn(mail: TakenMail | undefined): string {
  const code = /[A-Z]{4}-[A-Z]{4}/.exec(mail?.parsed.text ?? '')?.[0]
  expect(code, 'the mail has a code').toBeDefined()
  return code ?? ''
}

export const HOUR_MS = 3_600_000

export const PROOF: TokenPurpose = { name: 'proof', endsWith: 'credentials', lifeMs: HOUR_MS, hasCode: true }

/** A mail of a test's own, about a number. */
export function mailKind(options: Partial<MailKind> = {}): MailKind {
  return {
    name: 'of-a-test',
    isNotification: true,
    compose: ({ user, link, code, data }) => ({
      subject: `Number ${data.number ?? 0} for ${user.username}`,
      heading: 'Hello',
      blocks: [{ button: 'Go', url: link('login') }, ...(code === '' ? [] : [{ code }])],
      foot: 'Because of a test.',
    }),
    ...options,
  }
}

export function mailTo(user: StoredUser, kind: MailKind, number = 0): NewMail {
  return { kind, user, to: user.email ?? '', toKey: user.emailKey ?? '', locale: undefined, data: { number } }
}
