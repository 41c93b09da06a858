// Probes Redis once a second, and logs if it has lost what it was given.
import type { Logger } from '../../domain/logger.ts'
import { newId } from '../../domain/secret.ts'
import { type RedisClient, runScript, script } from './script.ts'

const EVERY_MS = 1000
/** A full Redis evicts keys all the time: one line a minute is enough. */
const PAUSE_MS = 60_000
/** How long the marker of a process that was killed stays. */
const RETENTION_MS = 86_400_000
/** The only policy under which Redis keeps all keys. https://redis.io/docs/latest/develop/reference/eviction/ */
const NO_EVICTION = 'noeviction'

/** One field of INFO; empty if this user may not read it. */
const INFO_FIELD = `local function info_field(section, name)
  local info = redis.pcall('INFO', section)
  return type(info) == 'string' and string.match(info, name .. ':([^\\r\\n]*)') or ''
end`

/** Writes the number of this probe. Returns the number before it, whether it was written, and the state of Redis's memory. */
export const PROBE = script(`${INFO_FIELD}
local before = redis.call('HGET', KEYS[1], 'probe')
local written = redis.pcall('HSET', KEYS[1], 'probe', ARGV[1])
redis.pcall('PEXPIRE', KEYS[1], ${RETENTION_MS})
return { before or '', type(written) == 'number' and 1 or 0, info_field('stats', 'evicted_keys'), info_field('memory', 'maxmemory_policy') }`)

const DELETE = script(`return redis.call('DEL', KEYS[1])`)

const POLICY = script(`${INFO_FIELD}
return info_field('memory', 'maxmemory_policy')`)

/** The eviction policy, if it is not the one that we need. Undefined if it is, or if nobody may read it. */
export async function wrongPolicy(client: RedisClient, prefix: string): Promise<string | undefined> {
  return wrong(String(await runScript(client, POLICY, `${prefix}monitor`)))
}

export class RedisMonitor {
  readonly #client: RedisClient
  readonly #log: Pick<Logger, 'warn'>
  /** One per process: what one has seen must not hide a loss from another. */
  readonly #key: string
  #timer: NodeJS.Timeout | undefined
  #isProbing = false
  #probes = 0
  /** The last probe that was written. */
  #marked = 0
  #evicted: number | undefined
  #untold = 0
  #toldAt = Number.NEGATIVE_INFINITY
  #isClosed = false

  constructor(client: RedisClient, prefix: string, log: Pick<Logger, 'warn'>) {
    this.#client = client
    this.#log = log
    this.#key = `${prefix}monitor:${newId()}`
  }

  /** May be called again. The timer keeps no process alive. */
  begin(): void {
    if (!this.#isClosed) this.#timer ??= setInterval(() => void this.#probe(), EVERY_MS).unref()
  }

  async close(): Promise<void> {
    this.#isClosed = true
    clearInterval(this.#timer)
    if (this.#marked > 0) await runScript(this.#client, DELETE, this.#key).catch(() => {})
  }

  async #probe(): Promise<void> {
    if (this.#isProbing) return
    this.#isProbing = true
    try {
      this.#probes++
      const reply = await runScript(this.#client, PROBE, this.#key, [this.#probes])
      const [before, written, evicted, policy]: unknown[] = Array.isArray(reply) ? reply : []
      const isThrowingOut = this.#judgeMemory(String(policy), Number(evicted))
      // While keys are evicted, the marker may be one of them.
      if (!isThrowingOut) this.#judgeMark(Number(before))
      // With a full memory, nothing is written.
      this.#marked = written === 1 ? this.#probes : Number(before)
    } catch {
      // Redis is away: calls that need it report that.
    } finally {
      this.#isProbing = false
    }
  }

  #judgeMark(before: number): void {
    if (before >= this.#marked) return
    const message =
      before === 0
        ? 'Redis has lost what it held: whoever was logged in has to log in again, and limits count from zero'
        : 'Redis has gone back to an older copy of what it held: later logins are lost, and later logouts may be undone'
    this.#log.warn({}, message)
  }

  /** Whether keys were evicted since the last probe. */
  #judgeMemory(policy: string, evicted: number): boolean {
    const isFirst = this.#evicted === undefined
    if (isFirst && wrong(policy) !== undefined) {
      this.#log.warn(
        { policy },
        'Redis may throw keys out when its memory is full, which logs people out: set maxmemory-policy noeviction',
      )
    }
    // A restarted Redis counts from zero.
    const since = Math.max(0, evicted - (this.#evicted ?? evicted))
    this.#evicted = evicted
    this.#untold += since
    const mayTell = performance.now() - this.#toldAt > PAUSE_MS
    if (this.#untold > 0 && mayTell) {
      this.#log.warn(
        { keys: this.#untold, policy },
        'Redis has thrown keys out for lack of memory: people are logged out, and limits forgotten',
      )
      this.#untold = 0
      this.#toldAt = performance.now()
    }
    return since > 0
  }
}

function wrong(policy: string): string | undefined {
  return policy === '' || policy === NO_EVICTION ? undefined : policy
}
