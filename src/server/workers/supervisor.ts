// Several processes on one port: starts them, puts another in the place of one that ends, and renews them one after the other.
import cluster, { type Worker } from 'node:cluster'
import { setTimeout as sleep } from 'node:timers/promises'
import { writeWorkerPlace } from '../env.ts'
import type { ServerLog } from '../logging.ts'
import type { Ready, ToSupervisor, ToWorker } from './messages.ts'
import { MetricsRound } from './metrics-round.ts'
import { WorkerEnded } from './worker-ended.ts'

/** What ends sooner than this would end again at once: the next waits a little. */
const SHORT_LIFE_MS = 10_000
const FIRST_PAUSE_MS = 1000
const LONGEST_PAUSE_MS = 30_000
/** A worker switches its own lights off after ten seconds; one that cannot even do that is killed. */
const LONGEST_GOODBYE_MS = 15_000

export class Supervisor {
  readonly #log: ServerLog
  #count: number
  /** Where they serve. */
  #port: number | undefined
  /** The worker that serves at each number, from 1. */
  readonly #serving = new Map<number, Worker>()
  /** All whose process lives: those that start, serve, and leave. */
  readonly #living = new Set<Worker>()
  /** Numbers where a worker is about to start: nobody else starts one there. */
  readonly #starting = new Set<number>()
  readonly #rounds = new Map<string, MetricsRound>()
  #opened: Promise<unknown> = Promise.resolve()
  #renewal: Promise<void> | undefined
  /** How many workers the next renewal is to make. */
  #wanted: number | undefined
  #stopping = false

  constructor(count: number, log: ServerLog) {
    this.#count = count
    this.#log = log
  }

  /** Resolves when all serve. Rejects with `WorkerEnded` where the first one cannot start; it has said why. */
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
    const ends = [...this.#living].map((worker) => {
      const end = endOf(worker)
      // Who is not open yet has nobody to see out.
      if (serving.has(worker)) tell(worker, { verb: 'stop', replaced: false })
      else worker.process.kill('SIGTERM')
      return end.then((code) => code === 0 || !serving.has(worker))
    })
    return (await Promise.all(ends)).every(Boolean)
  }

  /** Waits for nobody. */
  kill(): void {
    for (const worker of this.#living) worker.process.kill('SIGKILL')
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
    this.#count = count
    for (const number of numbersTo(Math.max(before, count))) {
      if (this.#stopping) return false
      const old = this.#serving.get(number)
      if (number <= count && !(await this.#startBeside(number))) return false
      if (number > count) this.#serving.delete(number)
      if (old) await this.#retire(old)
    }
    return true
  }

  async #startBeside(number: number): Promise<boolean> {
    // One that starts anew anyway.
    if (this.#starting.has(number)) return true
    this.#starting.add(number)
    try {
      await this.#start(number)
      return true
    } catch (error) {
      this.#log.error({ err: error, worker: number }, 'a new worker did not start: the old ones go on')
      return false
    } finally {
      this.#starting.delete(number)
      // The old one may have ended meanwhile.
      if (!this.#serving.has(number)) void this.#fill(number)
    }
  }

  async #retire(worker: Worker): Promise<void> {
    const end = endOf(worker)
    tell(worker, { verb: 'stop', replaced: true })
    await end
  }

  /** Until a worker serves at this number. */
  async #fill(number: number, firstPause = 0): Promise<void> {
    if (this.#starting.has(number)) return
    this.#starting.add(number)
    await sleep(firstPause)
    for (let pause = FIRST_PAUSE_MS; !this.#stopping && number <= this.#count; pause = Math.min(pause * 2, LONGEST_PAUSE_MS)) {
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

  /** Resolves when the worker lets people in; rejects where it ended before that. */
  #start(number: number): Promise<Ready> {
    const startedAt = performance.now()
    const worker = cluster.fork(writeWorkerPlace({ number, port: this.#port }))
    this.#living.add(worker)
    const { promise, resolve, reject } = Promise.withResolvers<Ready>()
    worker.on('message', (message: ToSupervisor) => {
      if (message.verb === 'ready') {
        this.#port = message.port
        this.#serving.set(number, worker)
        resolve(message)
      } else this.#hear(worker, message)
    })
    // A worker that is gone cannot be told anything; its exit says the rest.
    worker.on('error', () => {})
    worker.once('exit', (code, signal) => {
      this.#living.delete(worker)
      for (const round of this.#rounds.values()) round.add(worker, '')
      reject(new WorkerEnded(code, signal))
      if (this.#serving.get(number) === worker) this.#replace(number, { code, signal, livedMs: performance.now() - startedAt })
    })
    return promise
  }

  /** One that served has ended by itself. */
  #replace(number: number, { livedMs, ...end }: Readonly<{ code: number; signal: string; livedMs: number }>): void {
    this.#serving.delete(number)
    if (this.#stopping) return
    this.#log.error({ worker: number, ...end }, 'a worker ended by itself: another takes its place')
    void this.#fill(number, livedMs < SHORT_LIFE_MS ? FIRST_PAUSE_MS : 0)
  }

  #hear(worker: Worker, message: Exclude<ToSupervisor, Ready>): void {
    if (message.verb === 'measured') return this.#rounds.get(message.call)?.add(worker, message.text)
    const { call } = message
    const asked = [...this.#serving].toSorted(([a], [b]) => a - b).map(([, serving]) => serving)
    const round = new MetricsRound(asked, (texts) => {
      this.#rounds.delete(call)
      tell(worker, { verb: 'collected', call, texts })
    })
    this.#rounds.set(call, round)
    for (const one of asked) tell(one, { verb: 'measure', call })
  }
}

function tell(worker: Worker, message: ToWorker): void {
  if (worker.isConnected()) worker.send(message)
}

/** The exit code; in time, whatever the worker does. */
function endOf(worker: Worker): Promise<number | null> {
  const late = setTimeout(() => worker.process.kill('SIGKILL'), LONGEST_GOODBYE_MS)
  return new Promise((resolve) => {
    worker.once('exit', (code) => {
      clearTimeout(late)
      resolve(code)
    })
  })
}

function numbersTo(count: number): readonly number[] {
  return Array.from({ length: count }, (_, at) => at + 1)
}
