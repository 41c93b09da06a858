// Cancels a statement that nobody waits for: behind one lock it would keep its connection there.
import { connect } from 'node:net'

/** https://www.postgresql.org/docs/current/protocol-message-formats.html: CancelRequest */
const CODE = 80877102
const LENGTH = 16
const TIMEOUT_MS = 500

/** The part of pg's Client that is needed: the process id and key that PostgreSQL sent at the start. */
interface Cancellable {
  readonly host: string
  readonly port: number
  readonly processID: number
  readonly secretKey: number
}

/** Resolves when PostgreSQL has the request, or cannot be reached. The connection stays open until then: pgbouncer forgets a client that leaves. */
export function cancel(client: object): Promise<void> {
  if (!isCancellable(client)) return Promise.resolve()
  const message = Buffer.alloc(LENGTH)
  for (const [at, value] of [LENGTH, CODE, client.processID, client.secretKey].entries()) message.writeInt32BE(value, at * 4)
  const { host, port } = client
  const socket = host.startsWith('/') ? connect(`${host}/.s.PGSQL.${port}`) : connect(port, host)
  socket.unref().resume().write(message)
  return new Promise((resolve) => {
    // There is no answer; the server closes the connection.
    socket.on('close', () => resolve())
    socket.on('error', () => {})
    socket.setTimeout(TIMEOUT_MS, () => socket.destroy())
  })
}

function isCancellable(client: object): client is Cancellable {
  const { host, port, processID, secretKey }: Partial<Cancellable> = client
  return typeof host === 'string' && [port, processID, secretKey].every(Number.isInteger)
}
