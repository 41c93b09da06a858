// A thread that dies of the passwords `die` and `exit`, and gives every other one back as it is.
import { parentPort } from 'node:worker_threads'
import type { HashingRequest } from '../../src/passwords/worker.ts'

parentPort?.on('message', ({ password }: HashingRequest) => {
  const text = new TextDecoder().decode(password)
  if (text === 'die') throw new Error('out of order')
  if (text === 'exit') process.exit(3)
  parentPort?.postMessage({ verb: 'hash', hash: text })
})
