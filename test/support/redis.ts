// The Redis of this machine: keys of a test's own, which are taken out afterwards, and a way to it that can be cut.
import { randomUUID } from 'node:crypto'
import { connect as connectTo, createServer, type Server, type Socket } from 'node:net'
import { describeUnless } from './needs.ts'
import { keysIn, openRedis, REDIS_URL, redisAnswers, type TestClient } from './redis-server.ts'

export { REDIS_URL } from './redis-server.ts'

export interface TestRedis {
  readonly url: string
  readonly client: TestClient
  /** What the keys of this test begin with. */
  readonly prefix: string
  keys(): Promise<string[]>
  /** Takes the keys out and closes the client. */
  drop(): Promise<void>
}

const missing = (await redisAnswers()) ? undefined : 'Redis'

/** Tests on the Redis of this machine. */
export function describeOnRedis(title: string, body: () => void): void {
  describeUnless(missing, title, body)
}

export async function makeRedis(): Promise<TestRedis> {
  const client = await openRedis()
  const prefix = `test-${randomUUID()}:`
  const keys = () => keysIn(client, prefix)
  return {
    url: REDIS_URL,
    client,
    prefix,
    keys,
    async drop() {
      if (!client.isOpen) return
      for (const key of await keys()) await client.del(key)
      await client.close()
    },
  }
}

/** A way to Redis that a test cuts or stalls. */
export interface Way {
  readonly url: string
  /** Refuses new connections and ends those there are. */
  cut(): Promise<void>
  /** Takes everything and passes nothing on, as a network does that fell silent. */
  stall(): void
  mend(): Promise<void>
  close(): Promise<void>
}

export async function openWay(): Promise<Way> {
  const { hostname, port } = new URL(REDIS_URL)
  const sockets = new Set<Socket>()
  let isStalled = false
  const keep = (socket: Socket) => {
    sockets.add(socket)
    socket.on('error', () => {}).on('close', () => sockets.delete(socket))
    if (isStalled) socket.pause()
  }
  const join = (near: Socket) => {
    const far = connectTo(Number(port) || 6379, hostname)
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      keep(from)
      from.on('data', (bytes) => void (to.writable && to.write(bytes)))
      from.on('close', () => to.destroy())
      if (isStalled) from.pause()
    }
  }
  let server: Server | undefined
  const listen = (at: number) =>
    new Promise<number>((resolve) => {
      server = createServer(join).listen(at, '127.0.0.1', function (this: Server) {
        const address = this.address()
        resolve(typeof address === 'object' && address ? address.port : 0)
      })
    })
  const end = async () => {
    for (const socket of sockets) socket.destroy()
    const ending = server
    server = undefined
    if (ending) await new Promise((resolve) => ending.close(resolve))
  }
  const at = await listen(0)
  return {
    url: `redis://127.0.0.1:${at}`,
    cut: end,
    stall() {
      isStalled = true
      for (const socket of sockets) socket.pause()
    },
    async mend() {
      isStalled = false
      for (const socket of sockets) socket.resume()
      if (!server) await listen(at)
    },
    close: end,
  }
}
