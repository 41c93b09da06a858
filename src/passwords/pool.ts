// The bounded queue before the hashing threads: what does not fit is refused at once.
import { Worker } from 'node:worker_threads'
import { onTimeout } from '../database/timeout.ts'
import { MembershipError } from '../domain/errors.ts'
import type { HashingAnswer, HashingRequest } from './worker.ts'

export interface PoolOptions {
  readonly script: URL
  readonly workers: number
  /** Tasks that may wait. */
  readonly queueLimit: number
  /** How long a task may wait. Default: `MAX_QUEUE_MS`. */
  readonly maxQueueMs?: number
}

/** Whose password it is: of somebody whose network has logged in lately, of anybody, of a network that guesses. */
export type Priority = 'high' | 'normal' | 'low'

/** How full the queue may be for another one of this priority: what strangers cannot fill is kept for those who are known. */
const SHARES: Readonly<Record<Priority, number>> = { high: 1, normal: 0.75, low: 0.5 }

/** Who waited so long has left, or thinks that nothing happens and tries again. */
export const MAX_QUEUE_MS = 10_000

interface Task {
  readonly request: HashingRequest
  readonly resolve: (answer: HashingAnswer) => void
  readonly reject: (error: Error) => void
  readonly stopTimer: () => void
  startedAt: number
}

/** Threads start when there is work for them, keep the process alive while they work, and are replaced when they die. */
export class HashingPool {
  readonly #options: PoolOptions
  /** In the order in which they are served. */
  readonly #queues: Readonly<Record<Priority, Task[]>> = { high: [], normal: [], low: [] }
  readonly #idle: Worker[] = []
  readonly #busy = new Map<Worker, Task>()
  #done = 0
  #typicalMs = 50
  #closing: Promise<void> | undefined
  #drained: () => void = () => {}

  constructor(options: PoolOptions) {
    this.#options = options
  }

  get stats(): { readonly running: number; readonly waiting: number; readonly done: number; readonly limit: number } {
    return { running: this.#busy.size, waiting: this.#waiting(), done: this.#done, limit: this.#options.queueLimit }
  }

  /** Whether another one of this priority would be turned away. */
  isFull(priority: Priority): boolean {
    return !this.#hasRoom() && this.#waiting() >= Math.ceil(this.#options.queueLimit * SHARES[priority])
  }

  /** Takes the bytes of `password` with it. Throws `overloaded` where the queue is full, or moves too slowly. */
  run(request: HashingRequest, priority: Priority = 'high'): Promise<HashingAnswer> {
    if (this.#closing !== undefined) throw new Error('the password hasher is closed')
    // 10 000 logins at once must not take 10 000 times 19 MiB, nor wait until the visitor has left.
    if (this.isFull(priority)) throw this.#overloaded()
    return new Promise((resolve, reject) => {
      const queue = this.#queues[priority]
      const rejectLate = (): void => {
        queue.splice(queue.indexOf(task), 1)
        reject(this.#overloaded())
      }
      const task: Task = {
        request,
        resolve,
        reject,
        stopTimer: onTimeout(this.#options.maxQueueMs ?? MAX_QUEUE_MS, rejectLate),
        startedAt: 0,
      }
      queue.push(task)
      this.#fill()
    })
  }

  /** Who waits is turned away, who is being served is served, then the threads end. */
  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  async #close(): Promise<void> {
    for (const queue of Object.values(this.#queues)) {
      for (const task of queue.splice(0)) {
        task.stopTimer()
        task.reject(this.#overloaded())
      }
    }
    if (this.#busy.size > 0) {
      await new Promise<void>((resolve) => {
        this.#drained = resolve
      })
    }
    await Promise.all(this.#idle.splice(0).map((worker) => worker.terminate()))
  }

  #hasRoom(): boolean {
    return this.#busy.size < this.#options.workers
  }

  #waiting(): number {
    const { high, normal, low } = this.#queues
    return high.length + normal.length + low.length
  }

  #fill(): void {
    const { high, normal, low } = this.#queues
    while (this.#hasRoom()) {
      const task = high.shift() ?? normal.shift() ?? low.shift()
      if (task === undefined) return
      task.stopTimer()
      this.#start(task)
    }
  }

  #start(task: Task): void {
    const worker = this.#idle.pop() ?? this.#newWorker(task)
    if (worker === undefined) return
    worker.ref()
    task.startedAt = performance.now()
    this.#busy.set(worker, task)
    worker.postMessage(task.request, [task.request.password.buffer])
  }

  #newWorker(task: Task): Worker | undefined {
    try {
      // The flags of the host are not for this thread: with `--input-type` it would not even start.
      const worker = new Worker(this.#options.script, { name: 'guildhall passwords', execArgv: [] })
      let cause: unknown
      worker.on('message', (answer: HashingAnswer) => this.#finish(worker, answer))
      worker.on('error', (error) => {
        cause = error
      })
      worker.on('exit', () => this.#bury(worker, cause))
      return worker
    } catch (error) {
      task.reject(new Error('no thread to hash a password in', { cause: error }))
      return undefined
    }
  }

  #finish(worker: Worker, answer: HashingAnswer): void {
    const task = this.#busy.get(worker)
    if (task === undefined) return
    this.#busy.delete(worker)
    this.#idle.push(worker)
    // A resting thread lets the process end.
    worker.unref()
    this.#fill()

    this.#done++
    this.#typicalMs += (performance.now() - task.startedAt - this.#typicalMs) / 8
    task.resolve(answer)
    if (this.#busy.size === 0) this.#drained()
  }

  #bury(worker: Worker, cause: unknown): void {
    const place = this.#idle.indexOf(worker)
    if (place !== -1) this.#idle.splice(place, 1)
    const task = this.#busy.get(worker)
    this.#busy.delete(worker)
    // Not tried again: what kills one thread would kill the next.
    task?.reject(new Error('the thread that hashed a password died', { cause }))
    this.#fill()
    if (this.#busy.size === 0) this.#drained()
  }

  #overloaded(): MembershipError {
    const wait = ((this.#waiting() + this.#busy.size) * this.#typicalMs) / this.#options.workers
    return new MembershipError('overloaded', { retryAfter: Math.max(1, Math.ceil(wait / 1000)) })
  }
}
