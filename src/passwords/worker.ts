// The thread that hashes passwords, so that the event loop stays free.
import { setPriority } from 'node:os'
import { parentPort } from 'node:worker_threads'
import * as argon2 from '@node-rs/argon2'
import * as bcrypt from '@node-rs/bcrypt'
import type { PasswordAlgorithm } from './format.ts'

export type HashingWork =
  | { readonly verb: 'hash'; readonly algorithm: 'argon2id'; readonly memoryKiB: number; readonly passes: number }
  | { readonly verb: 'hash'; readonly algorithm: 'bcrypt'; readonly cost: number }
  | { readonly verb: 'verify'; readonly algorithm: PasswordAlgorithm; readonly hash: string }

export interface HashingRequest {
  readonly work: HashingWork
  /** Transferred, not copied, and wiped after use: it must not stay in two heaps. */
  readonly password: Uint8Array<ArrayBuffer>
}

export type HashingAnswer =
  | { readonly verb: 'hash'; readonly hash: string }
  | { readonly verb: 'verify'; readonly matches: boolean }
  | { readonly verb: 'failed'; readonly reason: string }

/** Niceness: enough that requests pass a storm of logins, but a storm of requests does not stop the logins. */
const PRIORITY = 10

if (parentPort === null) throw new TypeError('passwords/worker must run as a worker thread')
const port = parentPort
lowerPriority()
port.on('message', (request: HashingRequest) => port.postMessage(answer(request)))

function answer({ work, password }: HashingRequest): HashingAnswer {
  try {
    if (work.verb === 'verify') return { verb: 'verify', matches: verify(work, password) }
    return { verb: 'hash', hash: hash(work, password) }
  } catch (error) {
    return { verb: 'failed', reason: error instanceof Error ? error.message : 'unknown' }
  } finally {
    password.fill(0)
  }
}

/** The libraries add a salt of 16 random bytes. */
function hash(work: HashingWork & { verb: 'hash' }, password: Uint8Array): string {
  if (work.algorithm === 'bcrypt') return bcrypt.hashSync(password, { cost: work.cost })
  return argon2.hashSync(password, { memoryCost: work.memoryKiB, timeCost: work.passes, parallelism: 1 })
}

function verify(work: HashingWork & { verb: 'verify' }, password: Uint8Array): boolean {
  if (work.algorithm === 'bcrypt') return bcrypt.verifySync(password, work.hash)
  return argon2.verifySync(work.hash, password)
}

/** On Linux the pid `0` means this thread; elsewhere it would be the whole process. */
function lowerPriority(): void {
  if (process.platform !== 'linux') return
  try {
    setPriority(0, PRIORITY)
  } catch {
    // A process of lower priority may not raise it, and need not.
  }
}
