// The mailer that the settings ask for.
import { DevelopmentMailer } from '../mail/development.ts'
import type { Mailer } from '../mail/mail.ts'
import { createSmtpMailer } from '../mail/smtp.ts'
import type { MailSettings } from '../settings/options.ts'

/** `print`: where mails go in development, where nobody sends them. */
export function createMailer({ by }: MailSettings, print: (text: string) => void): Mailer {
  if (by === 'console') return new DevelopmentMailer(print)
  return 'send' in by ? by : createSmtpMailer(by)
}
