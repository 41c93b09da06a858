// Counts the mails that were sent or not, and those in the outbox.
import type { Core } from '../core/core.ts'
import { MAIL_OUTCOMES } from '../domain/events.ts'
import { countMails as countStored } from '../storage/mails.ts'
import { type Family, single } from './metrics-text.ts'

const STATES = ['waiting', 'failed'] as const

/** Nothing if mail is not set up. */
export function countMails(core: Core): () => Promise<readonly Family[]> {
  if (!core.mailer) return async () => []
  const outcomes = new Map<string, number>(MAIL_OUTCOMES.map((outcome) => [outcome, 0]))
  core.events.on('mail', ({ outcome }) => outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1))
  return async () => {
    const tries: Family = {
      name: 'guildhall_mail_tries_total',
      help: 'Tries to send a mail, by outcome',
      type: 'counter',
      samples: [...outcomes].flatMap(([outcome, count]) => single(count, { outcome })),
    }
    const stored = await readCounts(core)
    if (!stored) return [tries]
    const samples = STATES.flatMap((state) => single(stored.find((one) => one.state === state)?.count ?? 0, { state }))
    return [tries, { name: 'guildhall_mails', help: 'Mails in the outbox, by state', type: 'gauge', samples }]
  }
}

/** Undefined if the database does not answer: the other numbers are needed then most of all. */
async function readCounts(core: Core): Promise<readonly { readonly state: string; readonly count: number }[] | undefined> {
  try {
    return await core.db.all(countStored, {})
  } catch {
    return undefined
  }
}
