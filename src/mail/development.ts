// Mails of a developer's machine: printed, and sent to nobody.
import type { Mail, Mailer } from './mail.ts'

/** Prints each mail as its text. */
export function createConsoleMailer(print: (text: string) => void): Mailer {
  return {
    send(mail) {
      print(inWords(mail))
      return Promise.resolve()
    },
  }
}

function inWords({ from, to, subject, text }: Mail): string {
  const margin = (line: string) => `  ${line}`.trimEnd()
  return [
    'A mail, which is only printed: SMTP_URL is not set.',
    `  From:    ${from.name} <${from.address}>`,
    `  To:      ${to}`,
    `  Subject: ${subject}`,
    '',
    ...text.trimEnd().split('\n').map(margin),
  ].join('\n')
}
