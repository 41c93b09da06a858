// The mail of `guildhall mail test`: about no user, so that it tests the outbox and the mail server alone.
import { newId, newTimeId } from '../domain/secret.ts'
import { composeMail } from '../mail/compose.ts'
import type { MailContent } from '../mail/mail.ts'
import type { Settings } from '../settings/options.ts'
import { insertMail } from '../storage/mails.ts'
import { type BoundStatement, bind } from '../storage/statement.ts'
import type { Core } from './core.ts'
import { PRIORITY } from './outbox.ts'

export const TEST_MAIL = 'test'

/** Somebody waits for it at a terminal. */
const WORTH_SENDING_MS = 10 * 60_000

export function testMailStatement({ clock }: Core, to: string): { readonly id: string; readonly statement: BoundStatement } {
  const now = clock.now()
  const id = newTimeId(now)
  const statement = bind(insertMail, {
    id,
    kind: TEST_MAIL,
    userId: undefined,
    recipient: to,
    // Waits for no other mail to this address.
    recipientKey: newId(),
    locale: undefined,
    data: '{}',
    epoch: undefined,
    nonce: '',
    keyId: '',
    priority: PRIORITY.notification,
    now,
    expiresAt: now + WORTH_SENDING_MS,
  })
  return { id, statement }
}

/** In English, like the command line. */
export function composeTestMail({ baseUrl, siteName }: Settings): MailContent {
  return composeMail(
    {
      subject: 'A test mail',
      lang: 'en',
      heading: 'Mails arrive',
      blocks: [
        { paragraph: 'Whoever runs this site has sent this mail with guildhall mail test, to see whether mails arrive.' },
        { button: 'Open the site', url: baseUrl.href },
      ],
      foot: 'You got this because your address was typed there. There is nothing you have to do.',
    },
    siteName,
  )
}
