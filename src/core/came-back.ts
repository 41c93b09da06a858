// Keeps whether a user came back after the registration: a mail to an address that is only claimed opens no account in use.

import { markUsed } from '../storage/addresses.ts'
import type { StoredUser } from '../storage/contract.ts'
import type { Core } from './core.ts'

const DAY_MS = 86_400_000

/** At a login that is not the registration's own. Written once. Never throws: the login is done. */
export async function keepReturn(core: Core, user: StoredUser): Promise<void> {
  if (user.isUsed) return
  try {
    await core.db.write(markUsed, { id: user.id, now: core.clock.now() })
  } catch (error) {
    core.log.warn({ err: error, userId: user.id }, 'it could not be kept that a user came back; the next login tries again')
  }
}

/** When a session is touched: by the next day somebody uses the account. */
export async function keepVisit(core: Core, user: StoredUser | undefined): Promise<void> {
  if (user && core.clock.now() - user.createdAt >= DAY_MS) await keepReturn(core, user)
}
