// Encodes a mail as bytes, in a way that keeps links intact.
import type { Mail } from './mail.ts'

export async function bytesOf(mail: Mail): Promise<Buffer> {
  const { default: MailComposer } = await import('nodemailer/lib/mail-composer')
  const { from, to, subject, messageId, headers } = mail
  const composer = new MailComposer({
    from: { ...from },
    to: { name: '', address: to },
    subject,
    messageId,
    headers: { ...headers },
    // More programs fail on quoted-printable words in headers than on base64 ones.
    textEncoding: 'base64',
    alternatives: [{ raw: part('text/plain', mail.text) }, { raw: part('text/html', mail.html) }],
    // No text of a mail is ever a file name or a URL to fetch.
    disableFileAccess: true,
    disableUrlAccess: true,
  })
  return composer.compile().build()
}

/** RFC 5322 section 2.1.1. */
const MAX_LINE_LENGTH = 998
/** RFC 2045 section 6.8. */
const BASE64_LINE = /.{1,76}/g

/**
 * ASCII stays as it is, other text becomes base64. Quoted-printable would break links of more than 76 characters and write `=` as `=3D`,
 * which confuses programs that search the bytes for links; not every server accepts 8bit.
 */
function part(type: string, text: string): string {
  const lines = text.replace(/\r\n?|\n/g, '\r\n')
  const isPlain = /^[\t\r\n -~]*$/.test(lines) && lines.split('\r\n').every((line) => line.length <= MAX_LINE_LENGTH)
  const body = isPlain ? lines : (Buffer.from(lines).toString('base64').match(BASE64_LINE) ?? []).join('\r\n')
  const encoding = isPlain ? '7bit' : 'base64'
  return `Content-Type: ${type}; charset=utf-8\r\nContent-Transfer-Encoding: ${encoding}\r\n\r\n${body}`
}
