// Sends mails by SMTP: one connection a mail, bounded in time, credentials over TLS alone.
import type SMTPConnection from 'nodemailer/lib/smtp-connection'
import type { Mail, Mailer } from './mail.ts'
import { bytesOf } from './message.ts'
import { DeadlineError, mailErrorOf } from './smtp-error.ts'
import type { SmtpServer } from './smtp-url.ts'

export interface SmtpMailer extends Mailer {
  /** Greets the server and logs in, and sends nothing. Rejects as `send` does. */
  verify(): Promise<void>
}

export interface SmtpTimes {
  /** Until the server has greeted, TLS included. */
  readonly connectMs: number
  /** Without a byte from it. */
  readonly silenceMs: number
  /** For everything, however the server feeds us. */
  readonly deadlineMs: number
}

/** Shorter than the minutes of RFC 5321 section 4.5.3.2: whoever waits for a server that hangs keeps others waiting, and tries again anyway. */
const TIMES: SmtpTimes = { connectMs: 15_000, silenceMs: 30_000, deadlineMs: 45_000 }
/** The mail is taken already: a server that does not say goodbye is left. */
const GOODBYE_MS = 1000

/**
 * One connection a mail. A site of members sends few, far apart: a pool would mostly hold connections that the server has closed meanwhile,
 * so that the next mail fails first, and ending one mail that hangs would end others with it.
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
  // Loaded where the first mail is sent: most starts send none.
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
  sayGoodbye(connection)
}

function optionsOf({ host, port, isTls, isClearText }: SmtpServer, { connectMs, silenceMs }: SmtpTimes) {
  return {
    host,
    port,
    secure: isTls,
    requireTLS: !isTls && !isClearText,
    // This machine's own server may offer a certificate that it made for itself.
    ignoreTLS: isClearText,
    connectionTimeout: connectMs,
    greetingTimeout: connectMs,
    dnsTimeout: connectMs,
    socketTimeout: silenceMs,
    // The end is the end, also for a server that does not close its side.
    socketCloseTimeout: 0,
  }
}

async function connectTo(connection: SMTPConnection, { login }: SmtpServer): Promise<void> {
  await new Promise<void>((resolve, reject) => connection.connect((error) => (error ? reject(error) : resolve())))
  if (login === undefined) return
  // Also where the server offers no login: it then refuses, and no mail goes out by a way that was not meant.
  const credentials = { user: login.user.reveal(), pass: login.password.reveal() }
  await new Promise<void>((resolve, reject) => connection.login({ credentials }, (error) => (error ? reject(error) : resolve())))
}

function sendOver(connection: SMTPConnection, { from, to }: Mail, bytes: Buffer): Promise<void> {
  return new Promise((resolve, reject) =>
    connection.send({ from: from.address, to: [to] }, bytes, (error) => (error ? reject(error) : resolve())),
  )
}

/** RFC 5321 section 4.1.1.10. Nobody waits for it. */
function sayGoodbye(connection: SMTPConnection): void {
  const closing = setTimeout(() => connection.close(), GOODBYE_MS)
  connection.once('end', () => clearTimeout(closing))
  connection.quit()
}
