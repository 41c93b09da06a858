// What the machine can do: argon2 hashes per second with the server's parameters, in as many threads, and nothing else to do.
import { availableParallelism, setPriority } from 'node:os'
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads'
import { hashSync } from '@node-rs/argon2'

export const PARAMETERS = { memoryCost: 19_456, timeCost: 2, parallelism: 1 }

interface Order {
  readonly ms: number
  /** Added niceness: 10 is what the server's own hashing threads have. */
  readonly niceness: number
}

if (!isMainThread && parentPort !== null) {
  const { ms, niceness }: Order = workerData
  // On Linux the priority of `0` is this thread's alone.
  if (niceness > 0 && process.platform === 'linux') setPriority(0, niceness)
  hashSync('warm up', PARAMETERS)
  const startedAt = performance.now()
  let hashes = 0
  while (performance.now() - startedAt < ms) {
    hashSync('granite lantern ferry', PARAMETERS)
    hashes++
  }
  parentPort.postMessage((hashes / (performance.now() - startedAt)) * 1000)
}

/** Hashes per second, all threads together. */
export async function hashRate(order: Order): Promise<number> {
  const rates = await Promise.all(Array.from({ length: availableParallelism() }, () => rateOfOne(order)))
  return rates.reduce((sum, rate) => sum + rate, 0)
}

function rateOfOne(workerData: Order): Promise<number> {
  return new Promise((done, fail) => {
    const worker = new Worker(new URL(import.meta.url), { workerData })
    worker.once('message', done)
    worker.once('error', fail)
  })
}
