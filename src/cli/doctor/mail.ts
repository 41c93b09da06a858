// Checks whether mail is set up, whether its server accepts the login, and what the domain of the sender says.
import { domainOf } from '../../domain/mail-address.ts'
import { MailError } from '../../mail/mail.ts'
import { createSmtpMailer } from '../../mail/smtp.ts'
import { hostAndPort, readSmtpUrl, type SmtpServer } from '../../mail/smtp-url.ts'
import type { Config } from '../../server/config.ts'
import { mailSettingsOf } from '../../server/open-membership.ts'
import { error, type Finding, ok, warning } from './finding.ts'
import { checkMailDomain } from './mail-domain.ts'

export async function checkMail(config: Config): Promise<readonly Finding[]> {
  const { smtpUrl, production } = config
  const server = smtpUrl && readSmtpUrl(smtpUrl.reveal())
  if (!server) return [checkMissing(production)]
  const from = mailSettingsOf(config)?.from.address
  return [await checkServer(server), ...(from === undefined ? [] : await checkMailDomain(domainOf(from)))]
}

function checkMissing(production: boolean): Finding {
  return production
    ? warning(
        'No mail is set up, so there is no way back in for somebody who forgets the password: write SMTP_URL and MAIL_FROM.',
      )
    : ok('Mails are printed, not sent: SMTP_URL is not set.')
}

async function checkServer(server: SmtpServer): Promise<Finding> {
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
