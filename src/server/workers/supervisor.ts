// Several processes on one port: starts them, replaces one that ends, renews them one by one.
import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises'
import type { ServerLog } from '../logging.ts'
import type { Ready } from './messages.ts'
import type { Listen } from './place.ts'
import { type WorkerEnd, WorkerProcess } from './worker-process.ts'

/** What ends sooner than this would end again at once: the next waits a little. */
const MIN_LIFETIME_MS = 10_000
const FIRST_PAUSE_MS = 1000
const MAX_PAUSE_MS = 30_000

export class Supervisor {
  readonly #log: ServerLog
  readonly #listen: Listen
  #count: number
  /** Where they serve. */
  #port: number | undefined
  /** The worker that serves at each number, from 1. */
  readonly #serving = new Map<number, WorkerProcess>()
  /** All whose process lives: those that start, serve, and leave. */
  readonly #living = new Set<WorkerProcess>()
  /** Numbers where somebody sees to it that a worker starts; the worker, while one does. */
  readonly #starting = new Map<number, WorkerProcess | undefined>()
  #opened: Promise<unknown> = Promise.resolve()
  #renewal: Promise<void> | undefined
  /** How many workers the next renewal is to make. */
  #wanted: number | undefined
  #stopping = false

  constructor(count: number, listen: Listen, log: ServerLog) {
    this.#listen = listen
    this.#count = count
    this.#log = log
  }

  /** Resolves when all serve. Rejects with `WorkerEndedError` where the first one cannot start; it has said why. */
  open(): Promise<Ready> {
    const opening = this.#open()
    this.#opened = opening.catch(() => {})
    return opening
  }

  /** Puts new workers, with new settings and new code, in the place of the old ones, one after the other. Asked again meanwhile: once more after that. */
  renew(count: number): Promise<void> {
    this.#wanted = count
    this.#renewal ??= this.#renewAsWanted().finally(() => {
      this.#renewal = undefined
    })
    return this.#renewal
  }

  /** Ends all workers; resolves with whether all of them ended well. */
  async stop(): Promise<boolean> {
    this.#stopping = true
    const serving = new Set(this.#serving.values())
    const ends = [...this.#living].map(async (worker) => {
      if (serving.has(worker)) return (await worker.leave({ replaced: false })).code === 0
      // Who is not open yet has nobody to see out; who is leaving is on the way.
      worker.kill('SIGTERM')
      await worker.leave({ replaced: true })
      return true
    })
    return (await Promise.all(ends)).every(Boolean)
  }

  /** Waits for nobody. */
  kill(): void {
    for (const worker of this.#living) worker.kill('SIGKILL')
  }

  async #open(): Promise<Ready> {
    // The first alone: it migrates the database, and what keeps it from starting is told once.
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

  /** False where a new one did not start: then those that serve are better than what would come. */
  async #renewAll(count: number): Promise<boolean> {
    const before = this.#count
    for (const number of numbersTo(count)) {
      // From here on it belongs to the new ones: should it end, it is replaced.
      this.#count = Math.max(before, number)
      if (this.#stopping || !(await this.#renewAt(number))) return false
    }
    this.#count = count
    const surplus = [...this.#serving.values()].filter(({ number }) => number > count)
    await Promise.all(surplus.map((worker) => this.#stopSurplus(worker)))
    return !this.#stopping
  }

  async #renewAt(number: number): Promise<boolean> {
    // One that is starting may have read the settings before they changed.
    await this.#starting.get(number)?.ready.catch(() => {})
    await nextTurn()
    // One that is going to start reads them then.
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

  /** Until a worker serves at this number. */
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

  /** Resolves when the worker accepts connections; rejects where it ended before that. */
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
      // The settings want fewer by now.
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

  /** Answers a worker that asks for the numbers of all. */
  async #collect(worker: WorkerProcess, call: string): Promise<void> {
    const asked = [...this.#serving.values()].toSorted((a, b) => a.number - b.number)
    const texts = await Promise.all(asked.map((one) => one.measure(call)))
    worker.send({ verb: 'collected', call, texts: texts.filter((text) => text !== undefined) })
  }
}

function numbersTo(count: number): readonly number[] {
  return Array.from({ length: count }, (_, at) => at + 1)
}
