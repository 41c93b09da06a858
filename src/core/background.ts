// Deletes what is over: counters, flows, old audit entries, and addresses in entries that stay.
import { startCleanup } from '../database/cleanup.ts'
import { newId } from '../domain/secret.ts'
import { clearOldAddresses, deleteOldAuditEntries } from '../storage/audit.ts'
import { deleteExpiredFlows } from '../storage/flows.ts'
import { deleteExpiredMails } from '../storage/mails.ts'
import { deleteExpiredTokens } from '../storage/tokens.ts'
import type { Core } from './core.ts'

const DAY_MS = 86_400_000
const AUDIT_RETENTION_MS = 365 * DAY_MS
/** Long enough to look into a break-in. */
const ADDRESS_RETENTION_MS = 90 * DAY_MS

/** Starts the cleanup, about once a minute. Returns a function that stops it, after the running batch. */
export function startBackground(core: Core): () => Promise<void> {
  const deleteExpired = async (now: number, limit: number): Promise<number> => {
    const counters = await core.db.counters.deleteExpired(now, limit)
    const entries = await core.db.write(deleteOldAuditEntries, { before: now - AUDIT_RETENTION_MS, limit })
    const addresses = await core.db.write(clearOldAddresses, { before: now - ADDRESS_RETENTION_MS, limit })
    const flows = await core.db.write(deleteExpiredFlows, { now, limit })
    const tokens = await core.db.write(deleteExpiredTokens, { now, limit })
    const mails = await core.db.write(deleteExpiredMails, { now, limit })
    return Math.max(counters, entries.length, addresses.length, tokens.length, mails.length, flows.length)
  }
  const holder = newId()
  const acquireCleanupLease = (now: number, until: number) => core.db.lease('background', holder, now, until)
  return startCleanup({ deleteExpired, acquireCleanupLease }, core.clock, (error) => {
    core.log.warn({ err: error }, 'the cleanup did not work; the next minute tries again')
  })
}
