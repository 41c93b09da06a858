// Sends mails by SMTP: one connection per mail, with a deadline, credentials only over TLS.
import type SMTPConnection from 'nodemailer/lib/smtp-connection'
import type { Mail, Mailer } from './mail.ts'
import { bytesOf } from './message.ts'
import { DeadlineError, mailErrorOf } from './smtp-error.ts'
import type { SmtpServer } from './smtp-url.ts'

export interface SmtpMailer extends Mailer {
  /** Connects and logs in, but sends nothing. Rejects like `send`. */
  verify(): Promise<void>
}

export interface SmtpTimes {
  /** Until the server's greeting, TLS included. */
  readonly connectMs: number
  /** Without a byte from the server. */
  readonly silenceMs: number
  /** For the whole connection. */
  readonly deadlineMs: number
}

/**
 * Shorter than the minutes of RFC 5321 section 4.5.3.2: a server that hangs keeps other mails waiting, and the mail is tried again anyway.
 */
const TIMES: SmtpTimes = { connectMs: 15_000, silenceMs: 30_000, deadlineMs: 45_000 }
/** How long the server may take to answer QUIT; the mail is accepted by then. */
const QUIT_TIMEOUT_MS = 1000

/**
 * One connection per mail, no pool: mails are few and far apart, so the server would mostly have closed pooled connections, and closing
 * one for a mail that hangs would fail other mails too.
 */
export function createSmtpMailer(server: SmtpServer, times: SmtpTimes = TIMES): SmtpMailer {
  const whileConnected = async (work: (connection: SMTPConnection) => Promise<void>): Promise<void> => {
    try {
      await withConnection(server, times, work)
    } catch (error) {
      throw mailErrorOf(error, server)
    }
  }
  return {
    verify: () => whileConnected(async () => {}),
    async send(mail) {
      const bytes = await bytesOf(mail)
      await whileConnected((connection) => sendOver(connection, mail, bytes))
    },
  }
}

async function withConnection(
  server: SmtpServer,
  times: SmtpTimes,
  work: (connection: SMTPConnection) => Promise<void>,
): Promise<void> {
  // Loaded for the first mail: most processes send none.
  const { default: Connection } = await import('nodemailer/lib/smtp-connection')
  const connection = new Connection(optionsOf(server, times))
  const broken = Promise.withResolvers<never>()
  broken.promise.catch(() => {})
  connection.on('error', broken.reject)
  const deadline = setTimeout(() => broken.reject(new DeadlineError()), times.deadlineMs)
  try {
    const done = connectTo(connection, server).then(() => work(connection))
    await Promise.race([done, broken.promise])
  } catch (error) {
    connection.close()
    throw error
  } finally {
    clearTimeout(deadline)
  }
  quit(connection)
}

function optionsOf({ host, port, isTls, isClearText }: SmtpServer, { connectMs, silenceMs }: SmtpTimes) {
  return {
    host,
    port,
    secure: isTls,
    requireTLS: !isTls && !isClearText,
    // A server on this machine may have a self-signed certificate.
    ignoreTLS: isClearText,
    connectionTimeout: connectMs,
    greetingTimeout: connectMs,
    dnsTimeout: connectMs,
    socketTimeout: silenceMs,
    // Closes at once, even if the server does not close its side.
    socketCloseTimeout: 0,
  }
}

async function connectTo(connection: SMTPConnection, { login }: SmtpServer): Promise<void> {
  await new Promise<void>((resolve, reject) => connection.connect((error) => (error ? reject(error) : resolve())))
  if (login === undefined) return
  // Also if the server offers no login: it then refuses, and no mail is sent without the login that was configured.
  const credentials = { user: login.user.reveal(), pass: login.password.reveal() }
  await new Promise<void>((resolve, reject) => connection.login({ credentials }, (error) => (error ? reject(error) : resolve())))
}

function sendOver(connection: SMTPConnection, { from, to }: Mail, bytes: Buffer): Promise<void> {
  return new Promise((resolve, reject) =>
    connection.send({ from: from.address, to: [to] }, bytes, (error) => (error ? reject(error) : resolve())),
  )
}

/** RFC 5321 section 4.1.1.10. Not awaited. */
function quit(connection: SMTPConnection): void {
  const closing = setTimeout(() => connection.close(), QUIT_TIMEOUT_MS)
  connection.once('end', () => clearTimeout(closing))
  connection.quit()
}
