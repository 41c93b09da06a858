// `guildhall sessions list | end`: where an account is logged in.
import { translator } from '../i18n/translate.ts'
import { deviceName } from '../views/device-name.ts'
import { table } from './columns.ts'
import { CommandFailed, say, sayJson, t, UsageError } from './terminal.ts'
import { withMembership } from './with-membership.ts'

export async function listSessions(username: string, { json }: { readonly json: boolean }): Promise<void> {
  await withMembership('refuse', async ({ membership: { users }, core }) => {
    const sessions = await users.sessions(username)
    if (json)
      return sayJson(sessions.map((session) => ({ ...session, ip: session.ip ?? null, userAgent: session.userAgent ?? null })))
    if (sessions.length === 0) return say(t('cli.no_sessions', { username }))
    const now = core.clock.now()
    const rows = sessions.map(({ id, userAgent, ip, lastSeenAt, expiresAt }) => [
      id,
      deviceName(userAgent, translator(t.locale)),
      ip ?? '-',
      t.ago(lastSeenAt.getTime(), now),
      t.ago(expiresAt.getTime(), now),
    ])
    const head = [t('cli.column.id'), t('cli.column.device'), t('cli.column.ip'), t('cli.column.seen'), t('cli.column.ends')]
    say(table([head, ...rows]))
  })
}

export interface EndOptions {
  readonly all?: boolean
  readonly json?: boolean
}

export async function endSessions(username: string, id: string | undefined, { all, json }: EndOptions): Promise<void> {
  if ((id === undefined) === (all !== true)) throw new UsageError(t('cli.which_sessions'))
  await withMembership('refuse', async ({ membership: { users } }) => {
    if (id !== undefined && !(await users.sessions(username)).some((session) => session.id === id))
      throw new CommandFailed(t('cli.no_such_session', { username }))
    const ended = await users.endSessions(username, id === undefined ? {} : { id })
    if (json) return sayJson({ ended })
    say(t.count('cli.sessions_ended', ended))
  })
}
