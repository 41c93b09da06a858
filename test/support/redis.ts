// The Redis of this machine, with keys of each test's own and a connection that can be cut.
import { randomUUID } from 'node:crypto'
import { describeUnless } from './needs.ts'
import { keysIn, openRedis, REDIS_URL, redisAnswers, type TestClient } from './redis-server.ts'
import { TcpProxy } from './tcp-proxy.ts'

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
  restore(): Promise<void>
  close(): Promise<void>
}

export async function openWay(): Promise<Way> {
  const proxy = await TcpProxy.before(REDIS_URL)
  return {
    url: proxy.urlOf(REDIS_URL),
    cut: () => proxy.refuse(),
    stall: () => proxy.stall(),
    restore: () => proxy.restore(),
    close: () => proxy.close(),
  }
}
