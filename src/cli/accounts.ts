// `guildhall user show | set-status | rename`: one account.
import { userJson } from '../core/user.ts'
import { SETTABLE_STATUSES, type SettableStatus } from '../domain/user.ts'
import type { AccountDetails } from '../users/users.ts'
import { table } from './columns.ts'
import { say, sayJson, t, UsageError } from './terminal.ts'
import { withMembership } from './with-membership.ts'

export async function showUser(username: string, { json }: { readonly json: boolean }): Promise<void> {
  await withMembership('refuse', async ({ membership: { users } }) => {
    const details = await users.show(username)
    if (json) return sayJson(asJson(details))
    const { user, status, passwordChangedAt, sessions } = details
    const lines: readonly (readonly [string, string])[] = [
      [t('label.username'), user.username],
      [t('label.display_name'), user.displayName],
      [t('cli.column.id'), user.id],
      [t('cli.column.status'), t(`cli.status.${status}`)],
      [t('profile.roles'), user.roles.join(', ')],
      [t('cli.column.since'), t.date(user.createdAt.getTime(), 'long')],
      [t('cli.column.password'), passwordChangedAt ? t.date(passwordChangedAt.getTime(), 'long') : '-'],
      [t('cli.column.sessions'), String(sessions)],
    ]
    say(table(lines))
  })
}

export async function setUserStatus(username: string, status: string, { json }: { readonly json: boolean }): Promise<void> {
  const wanted = SETTABLE_STATUSES.find((known) => known === status)
  if (!wanted) throw new UsageError(t('cli.unknown_status', { statuses: SETTABLE_STATUSES.join(', ') }))
  await withMembership('refuse', async ({ membership: { users } }) => {
    const user = await users.setStatus(username, wanted)
    if (json) return sayJson(asJson(await users.show(user.username)))
    say(t(STATUS_SAID[wanted], { username: user.username }))
  })
}

const STATUS_SAID = { active: 'cli.user_opened', suspended: 'cli.user_closed' } as const satisfies Record<SettableStatus, string>

export async function renameUser(username: string, to: string, { json }: { readonly json: boolean }): Promise<void> {
  await withMembership('refuse', async ({ membership: { users } }) => {
    const before = await users.show(username)
    const user = await users.rename(username, to)
    if (json) return sayJson(asJson(await users.show(user.username)))
    say(t('cli.user_renamed', { before: before.user.username, username: user.username }))
  })
}

/** The user as in the HTTP API, and what only the operator sees. */
function asJson({ user, status, passwordChangedAt, sessions }: AccountDetails): object {
  return { ...userJson(user), status, passwordChangedAt: passwordChangedAt ?? null, sessions }
}
