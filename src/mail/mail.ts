// One mail to one person, as every transport gets it, and what stops one.

import { domainOf, isMailAddress } from '../domain/mail-address.ts'

export interface Mailbox {
  readonly name: string
  readonly address: string
}

/** A mail to one address. nodemailer's `sendMail` takes it as it is. */
export interface Mail {
  readonly from: Mailbox
  /** One address, no name. */
  readonly to: string
  readonly subject: string
  readonly text: string
  readonly html: string
  /** `<id@domain>`. A mail that is sent again has the one of before, so that mailboxes can tell. */
  readonly messageId: string
  /** Other header fields, which belong to it: what keeps robots from answering, and requests from being folded into one conversation. */
  readonly headers: Readonly<Record<string, string>>
}

/** What brings mails out. An own one resolves when somebody else is responsible for the mail, and rejects when nobody is. */
export interface Mailer {
  /** Rejects where the mail was not taken. An error with `permanent: true` says that no later try will do; `recipientRefused: true`, that the address takes no mail. All else is tried again. */
  send(mail: Mail): Promise<void>
}

/** A mail was not taken. */
export class MailError extends Error {
  override readonly name = 'MailError'
  /** Whether no later try will do. */
  readonly permanent: boolean
  /** Whether it is the address that takes no mail. */
  readonly recipientRefused: boolean

  constructor(message: string, { permanent = false, recipientRefused = false } = {}) {
    super(message)
    this.permanent = permanent
    this.recipientRefused = recipientRefused
  }
}

/** What a mail says. */
export interface MailContent {
  /** A subject that two requests share may fold their mails into one conversation: say what this one is. */
  readonly subject: string
  readonly text: string
  readonly html: string
}

/** `id`: of this mail alone, and the same when it is sent again. Throws MailError for what is not one address. */
export function addressMail(
  { subject, text, html }: MailContent,
  { id, to, from }: { readonly id: string; readonly to: string; readonly from: Mailbox },
): Mail {
  if (!ID.test(id)) throw new TypeError('the id of a mail must have 8 to 64 letters, digits, - or _')
  // Mailers of others, and servers, have read lists, comments and headers into an address (CVE-2025-13033, CVE-2021-23400).
  if (!isMailAddress(to))
    throw new MailError('what stands in the place of the address is no mail address', {
      permanent: true,
      recipientRefused: true,
    })
  const domain = domainOf(from.address)
  return {
    from: { name: onOneLine(from.name), address: from.address },
    to,
    subject: onOneLine(subject),
    text,
    html,
    messageId: `<${id}@${domain}>`,
    headers: {
      // RFC 3834 section 5: no vacation notice answers, no list takes it.
      'Auto-Submitted': 'auto-generated',
      // Gmail puts mails of one subject together, but those whose references differ it keeps apart.
      References: `<${id}.request@${domain}>`,
    },
  }
}

const ID = /^[\w-]{8,64}$/

/** In a header a line break begins another header, `=?` a word that readers decode (RFC 2047), and other control characters are for nobody. */
function onOneLine(text: string): string {
  return text
    .replace(/[\p{Cc}\u2028\u2029\s]+/gu, ' ')
    .replaceAll('=?', '= ?')
    .trim()
}
