// A site with a real mail server: users with addresses, and the mails that they get.
import { onTestFinished } from 'vitest'
import { inDatabase } from './database-inspector.ts'
import { openSite, type Site, type SiteOptions } from './site.ts'
import { type MailServer, startMailServer, type TakenMail } from './smtp.ts'
import { GOOD_PASSWORD } from './visitor.ts'

export interface MailSite extends Site {
  readonly server: MailServer
  /** The outbox does what is due three seconds later. Returns the mails that came since the last time: some are sent at once. */
  deliver(): Promise<readonly TakenMail[]>
}

interface UserOptions {
  readonly email?: string
  /** Default: it is. */
  readonly isProven?: boolean
  /** Default: a good one. */
  readonly hasPassword?: boolean
}

/** Closed when the test is over. */
export async function mailSiteOfTest(options: SiteOptions = {}): Promise<MailSite> {
  const server = await startMailServer()
  const mail = { from: 'noreply@site.example', url: `smtp://127.0.0.1:${server.port}` }
  const site = await openSite({ mail, ...options })
  onTestFinished(() => site.close())
  let given = 0
  return {
    ...site,
    server,
    async deliver() {
      site.clock.forward('3s')
      await site.outbox?.run()
      const came = server.mails.slice(given)
      given += came.length
      return came
    },
  }
}

/** A user with an address, `NAME@mail.example` by default. */
export async function userWith(site: Site, username: string, options: UserOptions = {}) {
  const { email = `${username}@mail.example`, isProven = true, hasPassword = true } = options
  const user = await site.membership.users.create({ username, password: hasPassword ? GOOD_PASSWORD : undefined })
  await inDatabase(
    site,
    'UPDATE guildhall_users SET email = ?, email_key = ?, email_verified_at = CASE WHEN ? = 1 THEN created_at END WHERE id = ?',
    email,
    email.toLowerCase(),
    isProven ? 1 : 0,
    user.id,
  )
  return user
}

/** The local path of the link with a token in a mail; empty if there is none. */
export function linkIn({ parsed }: TakenMail): string {
  const url = /^https?:\/\/\S+[?]token=\S+$/m.exec(parsed.text ?? '')?.[0]
  return url === undefined ? '' : new URL(url).pathname + new URL(url).search
}

/** The text of a mail on one line. */
export function textOf({ parsed }: TakenMail): string {
  return (parsed.text ?? '').replaceAll(/\s+/g, ' ')
}

export function tokenIn(mail: TakenMail): string {
  return new URLSearchParams(linkIn(mail).split('?')[1]).get('token') ?? ''
}
