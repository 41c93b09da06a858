// Sessions straight into Redis: those of the visitors by our own store, the rest as copies of one of theirs.
import { newId } from '../src/domain/secret.ts'
import { RedisStore } from '../src/session/stores/redis.ts'
import { sessionRow } from '../src/testing/index.ts'
import type { RedisPlace } from './external.ts'
import { DAY_MS, type Filled } from './filled.ts'

/** What the keys of `guildhall serve` begin with. */
const PREFIX = 'guildhall:'
/** Copies that one call makes: Redis serves nobody else meanwhile. */
const AT_ONCE = 10_000

const COPY = `for i = tonumber(ARGV[1]), tonumber(ARGV[2]) do
  redis.call('COPY', KEYS[1], ARGV[3] .. redis.sha1hex(tostring(i)) .. 'xyz')
end`

export async function fillRedis({ client }: RedisPlace, { visitors }: Pick<Filled, 'visitors'>): Promise<void> {
  const store = new RedisStore({ client, prefix: PREFIX })
  const now = Date.now()
  for (let at = 0; at < visitors.length; at += 500) {
    const some = visitors.slice(at, at + 500)
    await Promise.all(some.map(({ hash, userId }) => store.create(rowOf(hash, userId, now))))
  }
}

/** So many sessions more, each with the index of a user of its own; says how many bytes one takes. */
export async function growRedis(
  { client }: RedisPlace,
  { visitors }: Pick<Filled, 'visitors'>,
  sessions: number,
): Promise<number> {
  const [visitor] = visitors
  if (visitor === undefined) throw new Error('there is no session to copy')
  const before = await usedMemory(client)
  for (const [kind, key] of [
    ['session', visitor.hash],
    ['user', visitor.userId],
  ] as const) {
    for (let at = 0; at < sessions; at += AT_ONCE) {
      const range = [at + 1, Math.min(at + AT_ONCE, sessions)].map(String)
      await client.eval(COPY, { keys: [`${PREFIX}${kind}:${key}`], arguments: [...range, `${PREFIX}${kind}:`] })
    }
  }
  return ((await usedMemory(client)) - before) / sessions
}

function rowOf(hash: string, userId: string, now: number) {
  return sessionRow({
    hash,
    publicId: newId(),
    userId,
    credentialEpoch: 1,
    factors: 'password',
    authenticatedAt: now,
    createdAt: now,
    lastSeenAt: now + DAY_MS / 24,
    expiresAt: now + DAY_MS,
    endsAt: now + DAY_MS,
    ip: '198.51.100.7',
    userAgent: 'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0',
  })
}

async function usedMemory(client: RedisPlace['client']): Promise<number> {
  return Number(/^used_memory:(\d+)/m.exec(await client.info('memory'))?.[1])
}
