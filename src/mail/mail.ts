// A mail to one address, the interface of mailers, and their error.

import { domainOf, isMailAddress } from '../domain/mail-address.ts'

export interface Mailbox {
  readonly name: string
  readonly address: string
}

/** A mail to one address. nodemailer's `sendMail` accepts it as it is. */
export interface Mail {
  readonly from: Mailbox
  /** One address, no name. */
  readonly to: string
  readonly subject: string
  readonly text: string
  readonly html: string
  /** `<id@domain>`. The same if the mail is sent again, so that mailboxes recognise the duplicate. */
  readonly messageId: string
  /** Further header fields, which keep autoresponders from answering and mailboxes from grouping the mails of different requests. */
  readonly headers: Readonly<Record<string, string>>
}

/** Sends mails. A mailer of your own resolves once somebody else is responsible for the mail, and rejects otherwise. */
export interface Mailer {
  /**
   * Rejects if the mail was not accepted. On the error, `permanent: true` means that no later try can succeed, `recipientRefused: true`
   * that the address accepts no mail. After any other error the mail is tried again.
   */
  send(mail: Mail): Promise<void>
}

/** A mail was not accepted. */
export class MailError extends Error {
  override readonly name = 'MailError'
  /** Whether no later try can succeed. */
  readonly permanent: boolean
  /** Whether the address accepts no mail. */
  readonly recipientRefused: boolean

  constructor(message: string, { permanent = false, recipientRefused = false } = {}) {
    super(message)
    this.permanent = permanent
    this.recipientRefused = recipientRefused
  }
}

/** The content of a mail. */
export interface MailContent {
  /** Should be specific: mailboxes group mails of one subject into a conversation. */
  readonly subject: string
  readonly text: string
  readonly html: string
}

/** `id`: unique to this mail, and the same if it is sent again. Throws MailError if `to` is not one address. */
export function addressMail(
  { subject, text, html }: MailContent,
  { id, to, from }: { readonly id: string; readonly to: string; readonly from: Mailbox },
): Mail {
  if (!ID.test(id)) throw new TypeError('the id of a mail must have 8 to 64 letters, digits, - or _')
  // Mail libraries and servers have read lists, comments and headers into an address (CVE-2025-13033, CVE-2021-23400).
  if (!isMailAddress(to))
    throw new MailError('the recipient is no mail address', {
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
      // RFC 3834 section 5: no autoresponder answers.
      'Auto-Submitted': 'auto-generated',
      // Gmail groups mails of one subject, unless their references differ.
      References: `<${id}.request@${domain}>`,
    },
  }
}

const ID = /^[\w-]{8,64}$/

/** Makes a text safe for a header: a line break would start another header, and `=?` a word that readers decode (RFC 2047). */
function onOneLine(text: string): string {
  return text
    .replace(/[\p{Cc}\u2028\u2029\s]+/gu, ' ')
    .replaceAll('=?', '= ?')
    .trim()
}
