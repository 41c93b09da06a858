// A mail server of a test's own: takes mails, or refuses, hangs and hangs up at the stage that the test says.
import { once } from 'node:events'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import { type ParsedMail, simpleParser } from 'mailparser'
import { SMTPServer, type SMTPServerOptions, type SMTPServerSession } from 'smtp-server'
import { onTestFinished } from 'vitest'

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
  /** Logins, and whether TLS was spoken then. */
  readonly logins: readonly { readonly user: string; readonly isOverTls: boolean }[]
  /** Connections that are open. */
  open(): number
  /** What happens from now on. */
  trouble(stage: Stage, trouble: Trouble | undefined, text?: string): void
}

export interface MailServerOptions {
  readonly tls?: { readonly key: string; readonly cert: string; readonly fromTheStart?: boolean }
  readonly login?: { readonly user: string; readonly password: string }
}

/** Gone after the test. */
export async function startMailServer({ tls, login }: MailServerOptions = {}): Promise<MailServer> {
  const mails: TakenMail[] = []
  const logins: { user: string; isOverTls: boolean }[] = []
  const sockets = new Set<Socket>()
  const troubles = new Map<Stage, { readonly trouble: Trouble; readonly text: string }>()

  const meet = (stage: Stage, session: SMTPServerSession, answer: (error?: Error) => void) => {
    const met = troubles.get(stage)
    if (met === undefined) return answer()
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
    onRcptTo: (_address, session, answer) => meet('recipient', session, answer),
    onData(stream, session, answer) {
      const parts: Buffer[] = []
      stream.on('data', (part: Buffer) => parts.push(part))
      stream.on('end', () =>
        meet('body', session, (error) => {
          if (error) return answer(error)
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
  // It ends its connections itself: Node does not bear it when the socket below TLS is destroyed.
  onTestFinished(() => new Promise<void>((done) => server.close(() => done())))
  return {
    port: portOf(listening.address()),
    mails,
    logins,
    open: () => sockets.size,
    trouble(stage, trouble, text = 'no') {
      if (trouble === undefined) troubles.delete(stage)
      else troubles.set(stage, { trouble, text })
    },
  }
}

export interface ScriptedServer {
  readonly port: number
  /** All that was said to it. */
  received(): string
  open(): number
}

/** A server that says what the script says to each line; `undefined` is silence, `'hang up'` the end. The greeting answers the line `''`. */
export async function startScriptedServer(script: (line: string, socket: Socket) => string | undefined): Promise<ScriptedServer> {
  let received = ''
  const sockets = new Set<Socket>()
  const server = createServer((socket) => {
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
    socket.on('error', () => {})
    const say = (line: string) => {
      const answer = script(line, socket)
      if (answer === 'hang up') socket.destroy()
      else if (answer !== undefined) socket.write(`${answer}\r\n`)
    }
    socket.on('data', (bytes) => {
      received += bytes.toString('latin1')
      for (const line of bytes.toString('latin1').split('\r\n')) if (line !== '') say(line)
    })
    say('')
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  return { port: portOf(server.address()), received: () => received, open: () => sockets.size }
}

function portOf(address: AddressInfo | string | null): number {
  if (address === null || typeof address === 'string') throw new Error('it listens at no port')
  return address.port
}
