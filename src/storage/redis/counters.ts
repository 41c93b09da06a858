// Counters in Redis: one key each, one script per verb, shared by every process on the same Redis.
import { RETENTION_MS, type RedisClient, runScript, type Script, script } from '../../database/redis/script.ts'
import type { CountedUse, Counters, CounterWindow, Use } from '../contract.ts'

/** Now, the end of a new window, the limit. */
const CONSUME = script(`local ends = redis.call('HGET', KEYS[1], 'windowEnd')
if not ends or tonumber(ends) <= tonumber(ARGV[1]) then
  redis.call('HSET', KEYS[1], 'count', 1, 'windowEnd', ARGV[2])
  redis.call('PEXPIREAT', KEYS[1], string.format('%.0f', tonumber(ARGV[2]) + ${RETENTION_MS}))
  return { 1, ARGV[2] }
end
if tonumber(redis.call('HGET', KEYS[1], 'count')) >= tonumber(ARGV[3]) then return { 0, ends } end
redis.call('HINCRBY', KEYS[1], 'count', 1)
return { 1, ends }`)

const ONLY_IN_ITS_WINDOW = "if redis.call('HGET', KEYS[1], 'windowEnd') ~= ARGV[1] then return 0 end"

const REFUND = script(`${ONLY_IN_ITS_WINDOW}
if tonumber(redis.call('HGET', KEYS[1], 'count')) < 1 then return 0 end
redis.call('HINCRBY', KEYS[1], 'count', -1)
return 1`)

const CLEAR = script(`${ONLY_IN_ITS_WINDOW}
return redis.call('DEL', KEYS[1])`)

export class RedisCounters implements Counters {
  readonly #client: RedisClient
  readonly #prefix: string

  constructor(client: RedisClient, prefix: string) {
    this.#client = client
    this.#prefix = prefix
  }

  async consume({ key, now, windowEnd, limit }: Use): Promise<CountedUse> {
    const reply = await this.#on(key, CONSUME, [now, windowEnd, limit])
    const [counted, ends]: unknown[] = Array.isArray(reply) ? reply : []
    return { counted: counted === 1, windowEnd: Number(ends) }
  }

  async refund({ key, windowEnd }: CounterWindow): Promise<void> {
    await this.#on(key, REFUND, [windowEnd])
  }

  async clear({ key, windowEnd }: CounterWindow): Promise<void> {
    await this.#on(key, CLEAR, [windowEnd])
  }

  /** Nothing to do: Redis takes out what is over. */
  deleteExpired(): number {
    return 0
  }

  #on(key: string, of: Script, values: readonly number[]): Promise<unknown> {
    return runScript(this.#client, of, `${this.#prefix}counter:${key}`, values)
  }
}
