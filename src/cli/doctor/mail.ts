// Checks whether mail is set up, and whether its server accepts the login.
import { MailError } from '../../mail/mail.ts'
import { createSmtpMailer } from '../../mail/smtp.ts'
import { hostAndPort, readSmtpUrl } from '../../mail/smtp-url.ts'
import type { Config } from '../../server/config.ts'
import { error, type Finding, ok, warning } from './finding.ts'

export async function checkMail({ smtpUrl, production }: Config): Promise<Finding> {
  const server = smtpUrl && readSmtpUrl(smtpUrl.reveal())
  if (!server)
    return production
      ? warning(
          'No mail is set up, so there is no way back in for somebody who forgets the password: write SMTP_URL and MAIL_FROM.',
        )
      : ok('Mails are printed, not sent: SMTP_URL is not set.')
  try {
    await createSmtpMailer(server).verify()
    return ok(
      `The mail server ${hostAndPort(server)} answers${server.login ? ' and takes the login' : ''}. guildhall mail test sends a mail.`,
    )
  } catch (failure) {
    if (failure instanceof MailError) return error(failure.message)
    throw failure
  }
}
