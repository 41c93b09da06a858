// Several processes on one port: starts them, replaces one that ends, renews them one by one.
import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises'
import type { ServerLog } from '../logging.ts'
import type { Listen } from './assignment.ts'
import type { Ready } from './messages.ts'
import { type WorkerEnd, WorkerProcess } from './worker-process.ts'

/** A worker that ends sooner would do so again: the next one starts after a pause. */
const MIN_LIFETIME_MS = 10_000
const FIRST_PAUSE_MS = 1000
const MAX_PAUSE_MS = 30_000

export class Supervisor {
  readonly #log: ServerLog
  readonly #listen: Listen
  #count: number
  /** The port of the site. */
  #port: number | undefined
  /** The serving workers by their numbers, from 1. */
  readonly #serving = new Map<number, WorkerProcess>()
  /** All workers with a living process: starting, serving, leaving. */
  readonly #living = new Set<WorkerProcess>()
  /** Numbers for which a worker is being started; the worker, once there is one. */
  readonly #starting = new Map<number, WorkerProcess | undefined>()
  #opened: Promise<unknown> = Promise.resolve()
  #renewal: Promise<void> | undefined
  /** How many workers the next renewal makes. */
  #wanted: number | undefined
  #stopping = false

  constructor(count: number, listen: Listen, log: ServerLog) {
    this.#listen = listen
    this.#count = count
    this.#log = log
  }

  /** Resolves when all serve. Rejects with `WorkerEndedError` if the first one cannot start; it has reported why. */
  open(): Promise<Ready> {
    const opening = this.#open()
    this.#opened = opening.catch(() => {})
    return opening
  }

  /** Replaces the workers one by one, with new settings and code. A call meanwhile makes it run once more. */
  renew(count: number): Promise<void> {
    this.#wanted = count
    this.#renewal ??= this.#renewAsWanted().finally(() => {
      this.#renewal = undefined
    })
    return this.#renewal
  }

  /** Ends all workers; resolves with whether all of them exited with success. */
  async stop(): Promise<boolean> {
    this.#stopping = true
    const serving = new Set(this.#serving.values())
    const ends = [...this.#living].map(async (worker) => {
      if (serving.has(worker)) return (await worker.leave({ replaced: false })).code === 0
      // A worker that is not open yet has no requests; one that is leaving is ending already.
      worker.kill('SIGTERM')
      await worker.leave({ replaced: true })
      return true
    })
    return (await Promise.all(ends)).every(Boolean)
  }

  /** Ends all processes at once. */
  kill(): void {
    for (const worker of this.#living) worker.kill('SIGKILL')
  }

  async #open(): Promise<Ready> {
    // The first one alone: it migrates the database, and a failure is reported once.
    const ready = await this.#start(1)
    await Promise.all(
      numbersTo(this.#count)
        .slice(1)
        .map((number) => this.#fill(number)),
    )
    return ready
  }

  async #renewAsWanted(): Promise<void> {
    await this.#opened
    for (let count = this.#wanted; count !== undefined && !this.#stopping; count = this.#wanted) {
      this.#wanted = undefined
      if (await this.#renewAll(count)) this.#log.info({ workers: count }, 'the workers are renewed')
    }
  }

  /** False if a new worker did not start: then the old ones stay. */
  async #renewAll(count: number): Promise<boolean> {
    const before = this.#count
    for (const number of numbersTo(count)) {
      // From here on this number is that of a new worker, which is replaced if it ends.
      this.#count = Math.max(before, number)
      if (this.#stopping || !(await this.#renewAt(number))) return false
    }
    this.#count = count
    const surplus = [...this.#serving.values()].filter(({ number }) => number > count)
    await Promise.all(surplus.map((worker) => this.#stopSurplus(worker)))
    return !this.#stopping
  }

  async #renewAt(number: number): Promise<boolean> {
    // A worker that is starting may have read the old settings.
    await this.#starting.get(number)?.ready.catch(() => {})
    await nextTurn()
    // A worker that starts later reads the new ones.
    if (this.#starting.has(number)) return true
    const old = this.#serving.get(number)
    this.#starting.set(number, undefined)
    try {
      await this.#start(number)
    } catch (error) {
      this.#log.error({ err: error, worker: number }, 'a new worker did not start: the old ones go on')
      return false
    } finally {
      this.#starting.delete(number)
      // The old one may have ended meanwhile.
      if (!this.#serving.has(number)) void this.#fill(number)
    }
    if (old) await old.leave({ replaced: true })
    return true
  }

  async #stopSurplus(worker: WorkerProcess): Promise<void> {
    this.#serving.delete(worker.number)
    await worker.leave({ replaced: true })
  }

  /** Tries until a worker serves at this number. */
  async #fill(number: number, firstPause = 0): Promise<void> {
    if (this.#starting.has(number)) return
    this.#starting.set(number, undefined)
    await sleep(firstPause)
    for (let pause = FIRST_PAUSE_MS; !this.#stopping && number <= this.#count; pause = Math.min(pause * 2, MAX_PAUSE_MS)) {
      try {
        await this.#start(number)
        break
      } catch (error) {
        if (this.#stopping) break
        this.#log.error({ err: error, worker: number }, 'a worker did not start; another try follows')
        await sleep(pause)
      }
    }
    this.#starting.delete(number)
  }

  /** Resolves when the worker accepts connections; rejects if it ends before that. */
  async #start(number: number): Promise<Ready> {
    const worker = new WorkerProcess(
      { number, port: this.#port, listen: this.#listen },
      (call) => void this.#collect(worker, call),
    )
    this.#living.add(worker)
    if (this.#starting.has(number)) this.#starting.set(number, worker)
    void worker.ended.then((end) => this.#hasEnded(worker, end))
    try {
      const ready = await worker.ready
      this.#port = ready.port
      this.#serving.set(number, worker)
      // The settings now have fewer workers.
      if (number > this.#count) void this.#stopSurplus(worker)
      return ready
    } finally {
      if (this.#starting.has(number)) this.#starting.set(number, undefined)
    }
  }

  #hasEnded(worker: WorkerProcess, { livedMs, ...end }: WorkerEnd): void {
    const { number } = worker
    this.#living.delete(worker)
    if (this.#serving.get(number) !== worker) return
    this.#serving.delete(number)
    if (this.#stopping) return
    this.#log.error({ worker: number, ...end }, 'a worker ended by itself: another takes its place')
    void this.#fill(number, livedMs < MIN_LIFETIME_MS ? FIRST_PAUSE_MS : 0)
  }

  /** Sends the numbers of all workers to the worker that requested them. */
  async #collect(worker: WorkerProcess, call: string): Promise<void> {
    const workers = [...this.#serving.values()].toSorted((a, b) => a.number - b.number)
    const texts = await Promise.all(workers.map((worker) => worker.measure(call)))
    worker.send({ verb: 'collected', call, texts: texts.filter((text) => text !== undefined) })
  }
}

function numbersTo(count: number): readonly number[] {
  return Array.from({ length: count }, (_, at) => at + 1)
}
