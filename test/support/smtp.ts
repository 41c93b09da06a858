// Mail servers of a test's own, gone after it: one that takes mails, and one that says what a script says.
import { once } from 'node:events'
import { createServer, type Socket } from 'node:net'
import { onTestFinished } from 'vitest'
import { type MailServer, type MailServerOptions, openMailServer, portOf } from './mail-server.ts'

export type { MailServer, Stage, TakenMail, Trouble } from './mail-server.ts'

/** Gone after the test. */
export async function startMailServer(options: MailServerOptions = {}): Promise<MailServer> {
  const server = await openMailServer(options)
  onTestFinished(() => server.close())
  return server
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
