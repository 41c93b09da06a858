// Creates the mailer of the settings.
import { DevelopmentMailer } from '../mail/development.ts'
import type { Mailer } from '../mail/mail.ts'
import { createSmtpMailer } from '../mail/smtp.ts'
import type { MailSettings } from '../settings/options.ts'

/** `print` takes the mails in development, where none are sent. */
export function createMailer({ by }: MailSettings, print: (text: string) => void): Mailer {
  if (by === 'console') return new DevelopmentMailer(print)
  return 'send' in by ? by : createSmtpMailer(by)
}
