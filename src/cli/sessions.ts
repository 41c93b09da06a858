// `guildhall sessions list | end`: shows and ends the sessions of a user.
import { deviceName } from '../views/device-name.ts'
import { table } from './columns.ts'
import { CommandError, english, type Json, print, printJson, UsageError } from './terminal.ts'
import { withMembership } from './with-membership.ts'

export async function listSessions(username: string, { json }: Json): Promise<void> {
  await withMembership('refuse', async ({ membership: { users }, core }) => {
    const sessions = await users.sessions(username)
    if (json)
      return printJson(sessions.map((session) => ({ ...session, ip: session.ip ?? null, userAgent: session.userAgent ?? null })))
    if (sessions.length === 0) return print(`${username} is logged in nowhere.`)
    const now = core.clock.now()
    const rows = sessions.map(({ id, userAgent, ip, lastSeenAt, expiresAt }) => [
      id,
      deviceName(userAgent, english),
      ip ?? '-',
      english.ago(lastSeenAt.getTime(), now),
      english.ago(expiresAt.getTime(), now),
    ])
    const head = ['Id', 'Device', 'Address', 'Last seen', 'Ends']
    print(table([head, ...rows]))
  })
}

export interface EndOptions extends Json {
  readonly all?: boolean
}

export async function endSessions(username: string, id: string | undefined, { all, json }: EndOptions): Promise<void> {
  if ((id === undefined) === (all !== true)) throw new UsageError('Say which session by its id, or --all.')
  await withMembership('refuse', async ({ membership: { users } }) => {
    if (id !== undefined && !(await users.sessions(username)).some((session) => session.id === id))
      throw new CommandError(`${username} has no session with that id; sessions list shows which there are. Nothing was changed.`)
    const ended = await users.endSessions(username, id === undefined ? {} : { id })
    if (json) return printJson({ ended })
    print(ended === 1 ? 'One session is ended.' : `${ended} sessions are ended.`)
  })
}
