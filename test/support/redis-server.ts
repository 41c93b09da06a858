// The Redis of this machine, for tests and stress runs.
import { randomUUID } from 'node:crypto'
import { createClient } from 'redis'

export const REDIS_URL = process.env.GUILDHALL_TEST_REDIS_URL ?? 'redis://127.0.0.1:6379'

export type TestClient = Awaited<ReturnType<typeof openRedis>>

export async function openRedis(url: string = REDIS_URL) {
  const client = createClient({ url, disableOfflineQueue: true, socket: { reconnectStrategy: false } })
  client.on('error', () => {})
  await client.connect()
  return client
}

export async function redisAnswers(): Promise<boolean> {
  const client = createClient({ url: REDIS_URL, socket: { connectTimeout: 2000, reconnectStrategy: false } })
  client.on('error', () => {})
  try {
    await client.connect()
    await client.close()
    return true
  } catch {
    return false
  }
}

export async function keysIn(client: TestClient, prefix: string): Promise<string[]> {
  const found: string[] = []
  for await (const some of client.scanIterator({ MATCH: `${prefix}*`, COUNT: 1000 })) found.push(...some)
  return found
}

/** Redis has sixteen numbered databases by default; the first is shared. */
const NUMBERED = Array.from({ length: 15 }, (_, at) => at + 1)
const MINE = 'borrowed-for-a-run'
/** Longer than any stress run: what a killed one leaves behind is given free again by then. */
const BORROWED_S = 43_200

export interface NumberedRedis {
  readonly url: string
  /** Takes our keys out and gives it back. */
  release(): Promise<void>
}

/** A database of Redis that nobody uses, for servers whose prefix is always the same. */
export async function borrowNumbered(): Promise<NumberedRedis> {
  for (const number of NUMBERED) {
    const url = new URL(REDIS_URL)
    url.pathname = `/${number}`
    const client = await openRedis(url.href)
    if (await borrow(client)) return { url: url.href, release: () => release(client) }
    await client.close()
  }
  throw new Error(`all numbered databases of ${new URL(REDIS_URL).host} are in use: empty one, or wait for who uses it`)
}

async function borrow(client: TestClient): Promise<boolean> {
  const isMine = await client.set(MINE, randomUUID(), { condition: 'NX', expiration: { type: 'EX', value: BORROWED_S } })
  if (isMine === null) return false
  if ((await client.dbSize()) === 1) return true
  await client.del(MINE)
  return false
}

async function release(client: TestClient): Promise<void> {
  const keys = await keysIn(client, 'guildhall:')
  for (const key of keys) await client.del(key)
  await client.del(MINE)
  await client.close()
}
