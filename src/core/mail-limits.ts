// Limits the mails that strangers can cause: by recipient, by network and in all, each kind on its own.
import { MembershipError } from '../domain/errors.ts'
import type { Core } from './core.ts'
import type { Limit, Outcome, Slot } from './throttle.ts'

/** What is dropped changes nothing else: links that were sent stay good. */
const COUNTS: readonly Outcome[] = ['success']
const RECIPIENT_RATE = '5 per 1h'
const NETWORK_RATE = '20 per 1h'
/** Half of what a site sends in an hour because strangers asked for it; the other half is for recoveries alone. */
const HALF_OF_ALL_RATE = '300 per 1h'

export interface RequestedDelivery {
  readonly kind: string
  readonly recipientKey: string
  readonly network: string | undefined
  readonly isRecovery: boolean
}

/** Whether the mail may go, and then counts it. */
export async function admitMail(core: Core, delivery: RequestedDelivery): Promise<boolean> {
  const { kind, recipientKey, network, isRecovery } = delivery
  const taken: Slot[] = []
  const take = (name: string, rate: Limit['budgets'][number]['rate'], subject: string) =>
    tryToTake(core, { name: `mail ${kind} ${name}`, budgets: [{ rate, counts: COUNTS }] }, subject, taken)
  const isAdmitted =
    (await take('recipient', RECIPIENT_RATE, recipientKey)) &&
    (network === undefined || (await take('network', NETWORK_RATE, network))) &&
    ((await take('all', HALF_OF_ALL_RATE, '')) || (isRecovery && (await take('recovery', HALF_OF_ALL_RATE, ''))))
  for (const slot of taken) await core.throttle.release(slot, isAdmitted ? 'success' : 'unjudged')
  return isAdmitted
}

async function tryToTake({ throttle }: Core, limit: Limit, subject: string, taken: Slot[]): Promise<boolean> {
  try {
    taken.push(await throttle.take(limit, subject))
    return true
  } catch (error) {
    if (error instanceof MembershipError && error.code === 'too_many_requests') return false
    throw error
  }
}
