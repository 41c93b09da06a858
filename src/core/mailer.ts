// The mailer that the settings ask for.
import { createConsoleMailer } from '../mail/development.ts'
import type { Mailer } from '../mail/mail.ts'
import { createSmtpMailer } from '../mail/smtp.ts'
import type { MailSettings } from '../settings/options.ts'

/** `print`: where mails go that nobody sends. */
export function createMailer({ by }: MailSettings, print: (text: string) => void): Mailer {
  if (by === 'console') return createConsoleMailer(print)
  return 'send' in by ? by : createSmtpMailer(by)
}
