// Deletes expired sessions now and then, in bounded batches, as long as the process lives.
import { setImmediate } from 'node:timers/promises'
import type { Clock } from '../domain/clock.ts'
import { spread } from './jitter.ts'
import type { SessionStore } from './store.ts'

const EVERY_MS = 60_000
const BATCH = 1000

/** Starts sweeping. The timer keeps no process alive. Gives a function that stops, once a batch that runs is done. */
export function sweepRegularly(
  store: Pick<SessionStore, 'sweep'>,
  clock: Clock,
  onError: (error: unknown) => void,
): () => Promise<void> {
  let stopped = false
  let running: Promise<void> = Promise.resolve()
  let timer = plan()

  function plan(): NodeJS.Timeout {
    return setTimeout(
      () => {
        running = sweep()
      },
      EVERY_MS * (0.75 + spread() / 2),
    ).unref()
  }

  async function sweep(): Promise<void> {
    try {
      while (!stopped && (await store.sweep(clock.now(), BATCH)) >= BATCH) await setImmediate()
    } catch (error) {
      onError(error)
    }
    if (!stopped) timer = plan()
  }

  return () => {
    stopped = true
    clearTimeout(timer)
    return running
  }
}
