// `guildhall user create | list | show | set-status | unlock | send-reset | set-display-name | rename`.
import { SETTABLE_STATUSES, type SettableStatus, toJson } from '../domain/user.ts'
import type { Internals } from '../server/open-membership.ts'
import type { Settings } from '../settings/options.ts'
import { checkNewUser } from '../users/check-new-user.ts'
import type { NoReset } from '../users/recovery.ts'
import type { ListedUser, UserDetails, Users } from '../users/users.ts'
import { askNewPassword, readPassword } from './ask-password.ts'
import { table } from './columns.ts'
import { CommandError, english, type Json, print, printJson, UsageError } from './terminal.ts'
import { withMembership } from './with-membership.ts'

export interface NewUserOptions extends Json {
  readonly displayName?: string
  readonly email?: string
  readonly emailVerified?: boolean
  readonly role?: readonly string[]
  readonly passwordStdin?: boolean
}

/** Also if registration is closed. */
export async function createUser(
  username: string,
  { displayName, email, emailVerified, role: roles = [], passwordStdin, json }: NewUserOptions,
): Promise<void> {
  if (!passwordStdin && !process.stdin.isTTY)
    throw new UsageError('This is no terminal to ask for a password in. Pipe it in with --password-stdin.')
  // Everything is checked before a database is created: a refusal must create none.
  const user = { username, displayName, email, emailVerified, roles }
  let password = passwordStdin ? await readPassword(process.stdin) : undefined
  const check = async (settings: Settings) => {
    checkNewUser(settings, { ...user, password })
    password ??= await askNewPassword(username)
    checkNewUser(settings, { ...user, password })
  }
  const create = async ({ membership: { users } }: Internals) => {
    const created = await users.create({ ...user, password })
    if (json) return printJson(toJson(created))
    print(`${created.username} can log in now.`)
  }
  await withMembership('create', create, check)
}

const PAGE = 1000

export async function listUsers({ json }: Json): Promise<void> {
  await withMembership('refuse', async ({ membership: { users } }) => {
    const listed = await all(users)
    if (json) return printJson(listed.map((user) => ({ ...toJson(user), status: user.status })))
    if (listed.length === 0) return print('Nobody has an account yet.')
    print(table([['Username', 'Display name', 'Address', 'Status', 'Roles', 'Since (UTC)'], ...listed.map(rowOf)]))
  })
}

async function all(users: Users): Promise<readonly ListedUser[]> {
  const listed: ListedUser[] = []
  for (;;) {
    const page = await users.list({ after: listed.at(-1)?.username ?? '', limit: PAGE })
    listed.push(...page)
    if (page.length < PAGE) return listed
  }
}

/** An address that is only claimed stands in brackets. */
function rowOf({ username, displayName, email, emailVerified, status, roles, createdAt }: ListedUser): string[] {
  const address = email === undefined ? '' : emailVerified ? email : `(${email})`
  return [username, displayName, address, status, roles.join(', '), createdAt.toISOString().slice(0, 10)]
}

export async function showUser(username: string, { json }: Json): Promise<void> {
  await withMembership('refuse', async ({ membership: { users } }) => {
    const details = await users.show(username)
    if (json) return printJson(detailsJson(details))
    const { user, status, passwordChangedAt, sessions } = details
    const lines: readonly (readonly [string, string])[] = [
      ['Username', user.username],
      ['Display name', user.displayName],
      ['Address', addressOf(details)],
      ['Id', user.id],
      ['Status', status],
      ['Roles', user.roles.join(', ')],
      ['Since', english.date(user.createdAt.getTime(), 'long')],
      ['Password set', passwordChangedAt ? english.date(passwordChangedAt.getTime(), 'long') : '-'],
      ['Sessions', String(sessions)],
    ]
    print(table(lines))
  })
}

function addressOf({ user: { email, emailVerified }, emailUndeliverable }: UserDetails): string {
  if (email === undefined) return '-'
  return `${email} (${emailVerified ? 'proven' : 'not proven'}${emailUndeliverable ? ', refuses mails' : ''})`
}

export async function setUserStatus(username: string, status: string, { json }: Json): Promise<void> {
  const wanted = SETTABLE_STATUSES.find((known) => known === status)
  if (!wanted) throw new UsageError(`A status is one of ${SETTABLE_STATUSES.join(', ')}.`)
  await withMembership('refuse', async ({ membership: { users } }) => {
    const user = await users.setStatus(username, wanted)
    if (json) return printJson(detailsJson(await users.show(user.username)))
    print(`${user.username} is ${STATUS_MEANS[wanted]}`)
  })
}

const STATUS_MEANS: Readonly<Record<SettableStatus, string>> = {
  active: 'open again.',
  suspended: 'closed: nobody can log in to it, and its sessions are ended.',
}

export async function unlockUser(username: string, { json }: Json): Promise<void> {
  await withMembership('refuse', async ({ membership: { users } }) => {
    const user = await users.unlock(username)
    if (json) return printJson({ ...detailsJson(await users.show(user.username)), wasLocked: user.wasLocked })
    print(user.wasLocked ? `${user.username} can log in again.` : `${user.username} was not locked. Nothing was changed.`)
  })
}

export async function sendResetTo(username: string, { json }: Json): Promise<void> {
  await withMembership('refuse', async ({ membership: { users } }) => {
    const { problem, ...user } = await users.sendReset(username)
    if (problem) throw new CommandError(`${user.username} ${NO_RESET[problem]} Nothing was changed.`)
    if (json) return printJson(detailsJson(await users.show(user.username)))
    print(`A link to set a new password goes to ${user.email} as soon as the server looks into its outbox.`)
  })
}

const NO_RESET: Readonly<Record<NoReset, string>> = {
  suspended: 'is closed: open the account first, with user set-status.',
  no_address: 'has no mail address.',
  no_mail: 'cannot be mailed: there is no SMTP_URL.',
}

export async function renameUser(username: string, to: string, { json }: Json): Promise<void> {
  await withMembership('refuse', async ({ membership: { users } }) => {
    const before = await users.show(username)
    const user = await users.rename(username, to)
    if (json) return printJson(detailsJson(await users.show(user.username)))
    print(`${before.user.username} is ${user.username} now.`)
  })
}

export async function setDisplayName(username: string, displayName: string | undefined, { json }: Json): Promise<void> {
  await withMembership('refuse', async ({ membership: { users } }) => {
    const user = await users.setDisplayName(username, displayName ?? '')
    if (json) return printJson(detailsJson(await users.show(user.username)))
    print(`${user.username} is shown as ${user.displayName} now.`)
  })
}

/** The user as in the HTTP API, with fields that only operators see. */
function detailsJson({ user, status, emailUndeliverable, passwordChangedAt, sessions }: UserDetails): object {
  return { ...toJson(user), status, emailUndeliverable, passwordChangedAt: passwordChangedAt ?? null, sessions }
}
