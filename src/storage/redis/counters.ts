// Counters in Redis: one key each, whose state a script replaces if nobody else did so first.
import { RETENTION_MS, type RedisClient, runScript, type Script, script } from '../../database/redis/script.ts'
import type { Counters } from '../contract.ts'

const FIND = script("return redis.call('GET', KEYS[1])")

/** From, to, when it is over. No state is the empty text. */
const SWAP = script(`if (redis.call('GET', KEYS[1]) or '') ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[2], 'PXAT', ARGV[3])
return 1`)

export class RedisCounters implements Counters {
  readonly #client: RedisClient
  readonly #prefix: string

  constructor(client: RedisClient, prefix: string) {
    this.#client = client
    this.#prefix = prefix
  }

  async find(key: string): Promise<string | undefined> {
    const found = await this.#on(key, FIND)
    return typeof found === 'string' ? found : undefined
  }

  async swap(key: string, from: string | undefined, to: string, expiresAt: number): Promise<boolean> {
    return (await this.#on(key, SWAP, [from ?? '', to, expiresAt + RETENTION_MS])) === 1
  }

  /** Redis removes expired counters by itself. */
  deleteExpired(): number {
    return 0
  }

  #on(key: string, of: Script, values: readonly (string | number)[] = []): Promise<unknown> {
    return runScript(this.#client, of, `${this.#prefix}counter:${key}`, values)
  }
}
