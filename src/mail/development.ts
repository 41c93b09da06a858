// The mailer of development: prints mails and keeps the newest, but sends none.
import type { Mail, Mailer } from './mail.ts'

export interface KeptMail {
  readonly number: number
  readonly mail: Mail
}

const MAX_KEPT = 50

export class DevelopmentMailer implements Mailer {
  readonly #print: (text: string) => void
  #kept: readonly KeptMail[] = []
  #count = 0

  constructor(print: (text: string) => void) {
    this.#print = print
  }

  /** The newest first, at most fifty. */
  get kept(): readonly KeptMail[] {
    return this.#kept
  }

  send(mail: Mail): Promise<void> {
    this.#count++
    this.#kept = [{ number: this.#count, mail }, ...this.#kept].slice(0, MAX_KEPT)
    this.#print(inWords(mail))
    return Promise.resolve()
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
