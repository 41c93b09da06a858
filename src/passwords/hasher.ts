// Hashes and verifies passwords: in threads, by a bounded queue, as long for unknown users.
import { availableParallelism } from 'node:os'
import { isPasswordTooLong, MAX_PASSWORD_CODE_POINTS, normalizePassword } from '../domain/password-policy.ts'
import {
  currentKeyId,
  dummyHash,
  type HashSettings,
  hasNoPepper,
  needsRehash,
  parseStoredHash,
  preHash,
  type StoredHash,
  writeStoredHash,
} from './format.ts'
import { HashingPool, type Priority } from './pool.ts'
import type { HashingAnswer, HashingWork } from './worker.ts'

export const DEFAULT_QUEUE_LIMIT = 256

export interface HasherOptions extends HashSettings {
  /** Threads, and so hashes at a time. Default: the cores that this process may use. */
  readonly workers?: number
  /** The most hashes that may wait; more throw `overloaded`. Default: 256. */
  readonly queueLimit?: number
}

export interface PasswordHasher {
  /**
   * The value to store. Default of `priority`: `high`, as for the application's own acts. Throws `overloaded`, and RangeError for a
   * password that is too long or ill-formed, which `passwordIssue` refuses.
   */
  hash(password: string, priority?: Priority): Promise<string>
  /**
   * Whether the password is the stored one. If `stored` is undefined it takes as long, and is false. Throws `overloaded`, and RangeError
   * for a password that is too long.
   */
  verify(stored: string | undefined, password: string, priority?: Priority): Promise<boolean>
  /** Whether the stored value should be replaced by a hash of the current settings. */
  needsRehash(stored: string): boolean
  /** Whether the stored value needs a pepper that is not set, so that no password matches. */
  hasNoPepper(stored: string): boolean
  /** Whether one more hash of this priority would be refused as `overloaded`. */
  isFull(priority: Priority): boolean
  readonly stats: HashingPool['stats']
  /** Waits for the running hashes, rejects the waiting ones, and ends the threads. */
  close(): Promise<void>
}

/** The options must have been checked. */
export function createHasher(options: HasherOptions): PasswordHasher {
  const { peppers } = options
  const nobody = dummyHash(options)
  const pool = new HashingPool({
    script: new URL(import.meta.url.endsWith('.ts') ? './worker.ts' : './worker.js', import.meta.url),
    workers: options.workers ?? availableParallelism(),
    queueLimit: options.queueLimit ?? DEFAULT_QUEUE_LIMIT,
  })

  function find(stored: string | undefined, password: string): StoredHash | undefined {
    // Half a surrogate pair would be hashed as U+FFFD; no user has such a password.
    if (!password.isWellFormed()) return undefined
    const found = parseStoredHash(stored)
    return found === undefined || hasNoPepper(found, peppers) ? undefined : found
  }

  async function run(work: HashingWork, secret: string | undefined, priority?: Priority): Promise<HashingAnswer> {
    if (secret === undefined) throw new Error('a pepper is missing')
    const answer = await pool.run({ work, password: new TextEncoder().encode(secret) }, priority)
    if (answer.verb === 'failed') throw new Error(`hashing a password failed: ${answer.reason}`)
    return answer
  }

  return {
    async hash(password, priority) {
      refuseTooLong(password)
      if (!password.isWellFormed()) throw new RangeError('a password must be well-formed Unicode')
      const secret = preHash(normalizePassword(password), currentKeyId(options), peppers)
      const answer = await run(workOf(options), secret, priority)
      if (answer.verb !== 'hash') throw new Error('a thread answered another question')
      return writeStoredHash(answer.hash, options)
    },

    async verify(stored, password, priority) {
      refuseTooLong(password)
      const found = find(stored, password)
      // Verify a dummy hash if there is none: the answer must take as long.
      const { algorithm, hash, keyId } = found ?? nobody
      const text = isImported(found) ? password : normalizePassword(password)
      const answer = await run({ verb: 'verify', algorithm, hash }, preHash(text, keyId, peppers), priority)
      return found !== undefined && answer.verb === 'verify' && answer.matches
    },

    needsRehash: (stored) => needsRehash(stored, options),

    hasNoPepper(stored) {
      const found = parseStoredHash(stored)
      return found !== undefined && hasNoPepper(found, peppers)
    },

    isFull: (priority) => pool.isFull(priority),

    get stats() {
      return pool.stats
    },

    close: () => pool.close(),
  }
}

function workOf({ algorithm, argon2, bcryptCost }: HashSettings): HashingWork {
  if (algorithm === 'bcrypt') return { verb: 'hash', algorithm, cost: bcryptCost }
  return { verb: 'hash', algorithm, memoryKiB: argon2.memoryKiB, passes: argon2.passes }
}

/** Plain bcrypt comes from an application that hashed the password as typed, without NFC. */
function isImported(stored: StoredHash | undefined): boolean {
  return stored?.algorithm === 'bcrypt' && stored.keyId === undefined
}

/** Long passwords burn CPU before anybody has logged in (Django CVE-2013-1443). */
function refuseTooLong(password: string): void {
  if (isPasswordTooLong(password)) throw new RangeError(`a password must have at most ${MAX_PASSWORD_CODE_POINTS} code points`)
}
