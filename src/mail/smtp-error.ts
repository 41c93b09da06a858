// Turns SMTP errors into MailError: an explanation for the operator, and whether to try again.
import { printable } from '../domain/printable.ts'
import { MailError } from './mail.ts'
import { hostAndPort, type SmtpServer } from './smtp-url.ts'

/** Sending a mail took too long. */
export class DeadlineError extends Error {
  override readonly name = 'DeadlineError'
}

/** The fields of nodemailer's errors. */
interface Failure {
  readonly message: string
  readonly code: unknown
  /** The command that failed: `RCPT TO`, `DATA`, `AUTH PLAIN`. */
  readonly command: string
  readonly response: string
  readonly responseCode: number
}

export function mailErrorOf(error: unknown, server: SmtpServer): MailError {
  const failure = readFailure(error)
  const isRefusal = failure.responseCode >= 500 && failure.responseCode < 600
  const isAtRecipient = failure.command === 'RCPT TO'
  const text = `The mail server ${hostAndPort(server)} ${withoutLogin(explain(error, failure, server), server)}`
  return new MailError(text, {
    // An earlier refusal is about our settings: once they are corrected, the mail may be sent.
    permanent: isRefusal && (isAtRecipient || failure.command === 'DATA'),
    recipientRefused: isRefusal && isAtRecipient && !isAboutUs(failure),
  })
}

function readFailure(error: unknown): Failure {
  const fields: object = error instanceof Error ? error : {}
  const textOf = (name: string): string => {
    const value: unknown = Reflect.get(fields, name)
    return typeof value === 'string' ? value : ''
  }
  return {
    message: error instanceof Error ? error.message : String(error),
    code: Reflect.get(fields, 'code'),
    command: textOf('command'),
    response: textOf('response'),
    responseCode: Number(Reflect.get(fields, 'responseCode')) || 0,
  }
}

/**
 * Whether the refusal is about us, like a block list or a missing login, and not about the recipient (RFC 3463 section 3.8; RFC 4954
 * section 6).
 */
function isAboutUs({ response, responseCode }: Failure): boolean {
  return responseCode === 530 || responseCode === 535 || /^\d{3}[ -]5\.7\./.test(response)
}

function explain(error: unknown, failure: Failure, { isTls }: SmtpServer): string {
  const { message, code, command, response } = failure
  if (error instanceof DeadlineError) return 'did not take a mail in the time it is given.'
  if (code === 'EDNS' || /ENOTFOUND|EAI_AGAIN/.test(message)) return 'cannot be found: look whether its name is right.'
  const [, reason] = /((?:self.signed|unable to (?:verify|get)|certificate|Hostname\/IP)[^;]*)/i.exec(message) ?? []
  if (response === '' && reason !== undefined)
    return `shows a certificate that is not trusted (${reason}): write its host as the certificate does, and if an authority of your own has signed it, name the file of that authority in NODE_EXTRA_CA_CERTS, in the environment of the process, not in .env.`
  if (command === 'STARTTLS' || /does not support required STARTTLS/.test(message))
    return `offers no TLS by STARTTLS, and nothing is sent to it in clear text${answered(response)}. Where it speaks TLS from the start, write smtps://.`
  if (isTls && /wrong version number|packet length too long/i.test(message))
    return 'speaks no TLS from the start at this port: write smtp:// in the place of smtps://, or the port where it does.'
  if (code === 'EAUTH') return `does not take the user and password${answered(response)}.`
  if (command === 'RCPT TO') return `refuses the recipient${answered(response)}.`
  if (code === 'ETIMEDOUT')
    return `does not answer in time.${isTls ? '' : ' Where it speaks TLS from the start, write smtps://.'}`
  if (response !== '') return `did not take the mail${command === '' ? '' : ` at ${command}`}${answered(response)}.`
  return `cannot be reached: ${short(message)}`
}

function answered(response: string): string {
  return response === '' ? '' : ` (${short(response)})`
}

const MAX_TEXT_LENGTH = 300

/** Shortened and made printable, as a server may send anything. */
function short(text: string): string {
  return printable(text.replace(/\s+/g, ' ').trim().slice(0, MAX_TEXT_LENGTH))
}

/** Removes the login, which a server may repeat in its response. */
function withoutLogin(text: string, { login }: SmtpServer): string {
  if (login === undefined) return text
  const [user, password] = [login.user.reveal(), login.password.reveal()]
  const forms = [password, base64(password), base64(user), base64(`\0${user}\0${password}`), encodeURIComponent(password)]
  return forms.reduce((rest, form) => rest.replaceAll(form, '[secret]'), text)
}

function base64(text: string): string {
  return Buffer.from(text).toString('base64')
}
