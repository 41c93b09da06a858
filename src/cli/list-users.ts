// `guildhall user list`: who has an account.
import { toJson, type User } from '../domain/user.ts'
import type { Users } from '../users/users.ts'
import { table } from './columns.ts'
import { say, sayJson, t } from './terminal.ts'
import { withMembership } from './with-membership.ts'

const PAGE = 1000

export async function listUsers({ json }: { readonly json: boolean }): Promise<void> {
  await withMembership('refuse', async ({ membership: { users } }) => {
    const found = await all(users)
    if (json) return sayJson(found.map(toJson))
    if (found.length === 0) return say(t('cli.no_users'))
    const head = [t('label.username'), t('label.display_name'), t('profile.roles'), t('cli.column.since')]
    say(table([head, ...found.map(rowOf)]))
  })
}

async function all(users: Users): Promise<readonly User[]> {
  const found: User[] = []
  for (;;) {
    const page = await users.list({ after: found.at(-1)?.username ?? '', limit: PAGE })
    found.push(...page)
    if (page.length < PAGE) return found
  }
}

function rowOf({ username, displayName, roles, createdAt }: User): string[] {
  return [username, displayName, roles.join(', '), createdAt.toISOString().slice(0, 10)]
}
