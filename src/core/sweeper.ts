// Takes out what is over: counters whose window has passed, audit entries past their time. Small batches, never in the way.

import { setImmediate } from 'node:timers/promises'
import type { Awaitable } from '../session/store.ts'
import { sweepAudit } from '../storage/audit.ts'
import { sweepCounters } from '../storage/counters.ts'
import type { Core } from './core.ts'

const INTERVAL_MS = 60_000
const BATCH = 500
const AUDIT_KEPT_MS = 365 * 86_400_000

/** Sweeps once a minute. Does not keep the process alive. */
export function createSweeper(core: Core): { stop(): void } {
  const sweep = async () => {
    try {
      const now = core.clock.now()
      await inBatches(() => core.db.write(sweepCounters, { now, limit: BATCH }))
      await inBatches(() => core.db.write(sweepAudit, { before: now - AUDIT_KEPT_MS, limit: BATCH }))
    } catch (error) {
      core.log.warn({ err: error }, 'sweeping did not work; the next minute tries again')
    }
  }
  const timer = setInterval(() => void sweep(), INTERVAL_MS)
  timer.unref()
  return { stop: () => clearInterval(timer) }
}

/** Until a batch is not full. Requests are served in between. */
async function inBatches(sweepSome: () => Awaitable<readonly unknown[]>): Promise<void> {
  while ((await sweepSome()).length === BATCH) await setImmediate()
}
