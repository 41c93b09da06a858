// `guildhall user create`: makes an account, also where registration is closed.
import { toJson } from '../domain/user.ts'
import { askNewPassword, readPassword } from './ask-password.ts'
import { say, sayJson, t, UsageError } from './terminal.ts'
import { withMembership } from './with-membership.ts'

export interface NewUserOptions {
  readonly displayName?: string
  readonly role?: readonly string[]
  readonly passwordStdin?: boolean
  readonly json?: boolean
}

export async function createUser(
  username: string,
  { displayName, role: roles = [], passwordStdin, json }: NewUserOptions,
): Promise<void> {
  if (!passwordStdin && !process.stdin.isTTY) throw new UsageError(t('cli.password_needs_terminal'))
  // Before a database is made: where there is no password, nothing is.
  const piped = passwordStdin ? await readPassword(process.stdin) : undefined
  await withMembership('make it', async ({ membership: { users } }) => {
    const password = piped ?? (await askNewPassword(username))
    const user = await users.create({ username, password, displayName, roles })
    if (json) return sayJson(toJson(user))
    say(t('cli.user_created', { username: user.username }))
  })
}
