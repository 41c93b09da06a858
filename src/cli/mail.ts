// `guildhall mail test`: sends a test mail.
import { createMailer } from '../core/mailer.ts'
import { isMailAddress } from '../domain/mail-address.ts'
import { newId } from '../domain/secret.ts'
import { composeMail } from '../mail/compose.ts'
import { addressMail, MailError } from '../mail/mail.ts'
import { configOf } from '../server/config.ts'
import { readEnvironment } from '../server/env.ts'
import { baseUrlOf, mailSettingsOf } from '../server/open-membership.ts'
import { CommandError, type Json, print, printError, printJson, UsageError } from './terminal.ts'

/** Sends by the transport itself, so that its response is reported at once. */
export async function sendTestMail(address: string, { json }: Json): Promise<void> {
  if (!isMailAddress(address)) throw new UsageError('That is no mail address: write one, like anna@example.org, without a name.')
  const config = configOf(readEnvironment())
  const settings = mailSettingsOf(config)
  if (!settings) throw new CommandError('No mail is set up: write SMTP_URL and MAIL_FROM.')
  const baseUrl = baseUrlOf(config, config.port)
  const content = composeMail(
    {
      subject: 'A test mail',
      lang: 'en',
      heading: 'Mails arrive',
      blocks: [
        { paragraph: 'Whoever runs this site has sent this mail with guildhall mail test, to see whether mails arrive.' },
        { button: 'Open the site', url: baseUrl },
      ],
      foot: 'You got this because your address was typed there. There is nothing you have to do.',
    },
    settings.from.name,
  )
  const mail = addressMail(content, { id: newId(), to: address, from: settings.from })
  // In development the mail is printed: on the standard output it would spoil the JSON.
  await createMailer(settings, json ? printError : print)
    .send(mail)
    .catch((error: unknown) => {
      if (error instanceof MailError) throw new CommandError(`${error.message} No mail was sent.`)
      throw error
    })
  const isSent = settings.by !== 'console'
  if (json) return printJson({ sent: isSent, to: address, from: settings.from.address, messageId: mail.messageId })
  if (isSent)
    print(`The mail server has taken a mail to ${address}, from ${settings.from.address}. Look whether it arrives, and where.`)
}
