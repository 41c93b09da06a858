// Tells PostgreSQL to give up a statement that nobody waits for any more.
// It would go on, and keep its connection there: behind one lock all that PostgreSQL has would be gone.
import { connect } from 'node:net'

/** https://www.postgresql.org/docs/current/protocol-message-formats.html: CancelRequest */
const CODE = 80877102
const LENGTH = 16
const TIMEOUT_MS = 500

/** As much of pg's Client as is needed. What PostgreSQL told it at its begin names the process there. */
interface Cancellable {
  readonly host: string
  readonly port: number
  readonly processID: number
  readonly secretKey: number
}

/**
 * Resolves when PostgreSQL has heard it, or cannot be told. The connection must be open until then: pgbouncer forgets what a client
 * asked for when it leaves. In the clear also where connections are not, as PostgreSQL's own tools do: it names one that is given up.
 */
export function cancel(client: object): Promise<void> {
  if (!isCancellable(client)) return Promise.resolve()
  const message = Buffer.alloc(LENGTH)
  for (const [at, value] of [LENGTH, CODE, client.processID, client.secretKey].entries()) message.writeInt32BE(value, at * 4)
  const { host, port } = client
  const socket = host.startsWith('/') ? connect(`${host}/.s.PGSQL.${port}`) : connect(port, host)
  socket.unref().resume().write(message)
  return new Promise((resolve) => {
    // There is no answer: it is heard when the other side hangs up.
    socket.on('close', () => resolve())
    socket.on('error', () => {})
    socket.setTimeout(TIMEOUT_MS, () => socket.destroy())
  })
}

function isCancellable(client: object): client is Cancellable {
  const { host, port, processID, secretKey }: Partial<Cancellable> = client
  return typeof host === 'string' && [port, processID, secretKey].every(Number.isInteger)
}
