// The queue before the hashing threads: its bound, its order, and what happens when a thread dies.
import { spawnSync } from 'node:child_process'
import { expect, onTestFinished, test } from 'vitest'
import { MembershipError } from '../../src/domain/errors.ts'
import { HashingPool, type PoolOptions } from '../../src/passwords/pool.ts'
import type { HashingRequest } from '../../src/passwords/worker.ts'
import { hasher } from './support.ts'

test('F-42 of a thousand logins at once, as many are served as the queue holds and the rest is refused', async () => {
  const passwords = hasher({ workers: 2, queueLimit: 100 })
  const logins = Array.from({ length: 1000 }, () => passwords.verify(undefined, 'a good password'))
  const outcomes = Promise.allSettled(logins)
  expect(passwords.stats).toEqual({ running: 2, waiting: 100, done: 0, limit: 100 })
  const refused = (await outcomes).filter((outcome) => outcome.status === 'rejected')
  expect(refused).toHaveLength(898)
  for (const { reason } of refused) {
    expect(reason).toBeInstanceOf(MembershipError)
    expect(reason.code).toBe('overloaded')
    expect(reason.retryAfter).toBeGreaterThanOrEqual(1)
    expect(Number.isInteger(reason.retryAfter)).toBe(true)
  }
  expect(passwords.stats).toEqual({ running: 0, waiting: 0, done: 102, limit: 100 })
})

test('F-42 a queue that was full serves the next one', async () => {
  const passwords = hasher({ workers: 1, queueLimit: 0 })
  const first = passwords.hash('a good password')
  await expect(passwords.hash('a good password')).rejects.toThrow('overloaded')
  const stored = await first
  expect(await passwords.verify(stored, 'a good password')).toBe(true)
})

test('B-02 a name that nobody has costs exactly one hash, like a name that somebody has', async () => {
  const passwords = hasher()
  const stored = await passwords.hash('a good password')
  await passwords.verify(stored, 'another password')
  expect(passwords.stats.done).toBe(2)
  await passwords.verify(undefined, 'another password')
  expect(passwords.stats.done).toBe(3)
})

test('the first password in the queue is hashed first', async () => {
  const passwords = hasher({ workers: 1 })
  const order: number[] = []
  await Promise.all(Array.from({ length: 20 }, (_, place) => passwords.verify(undefined, 'x').then(() => order.push(place))))
  expect(order).toEqual(Array.from({ length: 20 }, (_, place) => place))
})

test('a password that waited too long is refused, and the queue continues', async () => {
  const pool = faultyPool({ workers: 1, maxQueueMs: 1, script: new URL('../../src/passwords/worker.ts', import.meta.url) })
  const slow: HashingRequest = { ...request('slow'), work: { verb: 'hash', algorithm: 'bcrypt', cost: 13 } }
  const outcomes = [pool.run(slow), pool.run(request('late')), pool.run(request('late too'))]
  await expect(outcomes[1]).rejects.toMatchObject({ code: 'overloaded' })
  await expect(outcomes[2]).rejects.toMatchObject({ code: 'overloaded' })
  expect(pool.stats).toMatchObject({ running: 1, waiting: 0 })
  await outcomes[0]
  expect(await pool.run(request('next'))).toMatchObject({ verb: 'hash' })
})

test('known networks are served before unknown ones, and a network that guesses last', async () => {
  const passwords = hasher({ workers: 1 })
  const order: string[] = []
  const ask = (name: string, priority: 'high' | 'normal' | 'low') =>
    passwords.verify(undefined, 'x', priority).then(() => order.push(name))
  await Promise.all([
    ask('at work', 'low'),
    ...[1, 2].map((n) => ask(`guesser ${n}`, 'low')),
    ...[1, 2].map((n) => ask(`stranger ${n}`, 'normal')),
    ...[1, 2].map((n) => ask(`member ${n}`, 'high')),
  ])
  expect(order).toEqual(['at work', 'member 1', 'member 2', 'stranger 1', 'stranger 2', 'guesser 1', 'guesser 2'])
})

test('unknown networks leave a quarter of the queue to known ones, guessing networks half of it to all others', async () => {
  const passwords = hasher({ workers: 1, queueLimit: 8 })
  const outcomes: Promise<boolean>[] = []
  const taken = (priority: 'high' | 'normal' | 'low') => {
    const isFull = passwords.isFull(priority)
    outcomes.push(passwords.verify(undefined, 'x', priority))
    return !isFull
  }
  const many = (priority: 'high' | 'normal' | 'low') => Array.from({ length: 20 }, () => taken(priority)).filter(Boolean).length
  // One is at work already.
  expect([many('low'), many('normal'), many('high'), many('normal')]).toEqual([1 + 4, 2, 2, 0])
  const settled = await Promise.allSettled(outcomes)
  expect(settled.filter(({ status }) => status === 'fulfilled')).toHaveLength(9)
})

test('no thread runs before the first password', () => {
  expect(hasher().stats).toEqual({ running: 0, waiting: 0, done: 0, limit: 256 })
})

test('the process ends although its hasher was never closed, whatever flags it was started with', () => {
  const url = new URL('../../src/passwords/hasher.ts', import.meta.url).href
  const program = `
    import { createHasher } from '${url}'
    const passwords = createHasher({ algorithm: 'argon2id', argon2: { memoryKiB: 1024, passes: 1 }, bcryptCost: 4, peppers: [] })
    console.log(await passwords.verify(await passwords.hash('a good password'), 'a good password'))`
  const { status, stdout } = spawnSync(process.execPath, ['--input-type=module', '-e', program], {
    timeout: 20_000,
    encoding: 'utf8',
  })
  expect({ status, stdout }).toEqual({ status: 0, stdout: 'true\n' })
})

test('the password is handed over to the thread, not copied', async () => {
  const pool = faultyPool()
  const task = request('some password')
  await pool.run(task)
  expect(task.password.byteLength).toBe(0)
})

test.each(['die', 'exit'])('a thread that dies (%s) fails its own password alone and is replaced', async (death) => {
  const pool = faultyPool({ workers: 1 })
  const outcomes = await Promise.allSettled(['first', death, 'second', death, 'third'].map((text) => pool.run(request(text))))
  expect(outcomes.map((outcome) => outcome.status)).toEqual(['fulfilled', 'rejected', 'fulfilled', 'rejected', 'fulfilled'])
  expect(pool.stats).toEqual({ running: 0, waiting: 0, done: 3, limit: 10 })
})

test('a thread that cannot start fails every password and stops nothing else', async () => {
  const pool = faultyPool({ script: new URL('./missing-worker.ts', import.meta.url) })
  await expect(pool.run(request('first'))).rejects.toThrow('the thread that hashed a password died')
  await expect(pool.run(request('second'))).rejects.toThrow('the thread that hashed a password died')
  expect(pool.stats).toEqual({ running: 0, waiting: 0, done: 0, limit: 10 })
})

test('closing finishes running hashes, refuses those that wait, and takes no new ones', async () => {
  const passwords = hasher({ workers: 1 })
  const logins = Promise.allSettled(Array.from({ length: 3 }, () => passwords.verify(undefined, 'a good password')))
  await Promise.all([passwords.close(), passwords.close()])
  expect((await logins).map((outcome) => outcome.status)).toEqual(['fulfilled', 'rejected', 'rejected'])
  await expect(passwords.hash('a good password')).rejects.toThrow('the password hasher is closed')
})

function faultyPool(changes: Partial<PoolOptions> = {}): HashingPool {
  const script = new URL('./faulty-worker.ts', import.meta.url)
  const pool = new HashingPool({ script, workers: 2, queueLimit: 10, ...changes })
  onTestFinished(() => pool.close())
  return pool
}

function request(text: string): HashingRequest {
  return { work: { verb: 'hash', algorithm: 'bcrypt', cost: 4 }, password: new TextEncoder().encode(text) }
}
