// A mail server: takes mails, or refuses, hangs and hangs up at the stage that is asked for.
import { once } from 'node:events'
import type { AddressInfo, Socket } from 'node:net'
import { type ParsedMail, simpleParser } from 'mailparser'
import { SMTPServer, type SMTPServerOptions, type SMTPServerSession } from 'smtp-server'

export type Stage = 'greeting' | 'login' | 'sender' | 'recipient' | 'body'
/** A reply code, or what a server does that is none. */
export type Trouble = number | 'hang' | 'hang up'

export interface TakenMail {
  readonly from: string
  readonly to: readonly string[]
  readonly bytes: Buffer
  readonly isOverTls: boolean
  readonly parsed: ParsedMail
}

export interface MailServer {
  readonly port: number
  readonly mails: readonly TakenMail[]
  /** The bytes of mails that were refused once it had them. */
  readonly refused: readonly Buffer[]
  /** Recipients that were named, accepted or not. */
  readonly named: readonly string[]
  /** Logins, and whether TLS was spoken then. */
  readonly logins: readonly { readonly user: string; readonly isOverTls: boolean }[]
  /** Connections that are open. */
  open(): number
  /** What happens from now on. `to`: at the stage `recipient`, with these recipients alone. */
  trouble(stage: Stage, trouble: Trouble | undefined, text?: string, to?: RegExp): void
  close(): Promise<void>
}

export interface MailServerOptions {
  readonly tls?: { readonly key: string; readonly cert: string; readonly fromTheStart?: boolean }
  readonly login?: { readonly user: string; readonly password: string }
}

export async function openMailServer({ tls, login }: MailServerOptions = {}): Promise<MailServer> {
  const mails: TakenMail[] = []
  const refused: Buffer[] = []
  const named: string[] = []
  const logins: { user: string; isOverTls: boolean }[] = []
  const sockets = new Set<Socket>()
  const troubles = new Map<Stage, { readonly trouble: Trouble; readonly text: string; readonly to: RegExp }>()

  const meet = (stage: Stage, session: SMTPServerSession, answer: (error?: Error) => void, recipient = '') => {
    const met = troubles.get(stage)
    if (met === undefined || !met.to.test(recipient)) return answer()
    if (met.trouble === 'hang') return
    if (met.trouble === 'hang up') {
      for (const socket of sockets) if (socket.remotePort === session.remotePort) socket.destroy()
      return
    }
    answer(Object.assign(new Error(met.text), { responseCode: met.trouble }))
  }
  const options: SMTPServerOptions = {
    ...(tls && { key: tls.key, cert: tls.cert, secure: tls.fromTheStart === true }),
    hideSTARTTLS: tls === undefined,
    disabledCommands: login === undefined ? ['AUTH'] : [],
    authOptional: login === undefined,
    allowInsecureAuth: true,
    logger: false,
    closeTimeout: 100,
    disableReverseLookup: true,
    onConnect: (session, answer) => meet('greeting', session, answer),
    onAuth({ username = '', password }, session, answer) {
      logins.push({ user: username, isOverTls: session.secure })
      if (login && (username !== login.user || password !== login.password))
        return answer(Object.assign(new Error('5.7.8 wrong'), { responseCode: 535 }))
      meet('login', session, (error) => (error ? answer(error) : answer(null, { user: username })))
    },
    onMailFrom: (_address, session, answer) => meet('sender', session, answer),
    onRcptTo({ address }, session, answer) {
      named.push(address)
      meet('recipient', session, answer, address)
    },
    onData(stream, session, answer) {
      const parts: Buffer[] = []
      stream.on('data', (part: Buffer) => parts.push(part))
      stream.on('end', () =>
        meet('body', session, (error) => {
          if (error) {
            refused.push(Buffer.concat(parts))
            return answer(error)
          }
          void keep(Buffer.concat(parts), session).then(() => answer())
        }),
      )
    },
  }
  const keep = async (bytes: Buffer, { envelope, secure }: SMTPServerSession) => {
    const from = envelope.mailFrom === false ? '' : envelope.mailFrom.address
    const to = envelope.rcptTo.map(({ address }) => address)
    mails.push({ from, to, bytes, isOverTls: secure, parsed: await simpleParser(bytes) })
  }

  const server = new SMTPServer(options)
  server.on('error', () => {})
  server.server.on('connection', (socket: Socket) => {
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
  })
  const listening = server.listen(0, '127.0.0.1')
  await once(listening, 'listening')
  return {
    port: portOf(listening.address()),
    mails,
    refused,
    named,
    logins,
    open: () => sockets.size,
    trouble(stage, trouble, text = 'no', to = /^/) {
      if (trouble === undefined) troubles.delete(stage)
      else troubles.set(stage, { trouble, text, to })
    },
    // It ends its connections itself: Node does not bear it when the socket below TLS is destroyed.
    close: () => new Promise<void>((done) => server.close(() => done())),
  }
}

export function portOf(address: AddressInfo | string | null): number {
  if (address === null || typeof address === 'string') throw new Error('it listens at no port')
  return address.port
}
