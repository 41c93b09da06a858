// Checks the database after a fault: every account that was answered is there, whole, and once.
import { inDatabase } from '../test/support/database-inspector.ts'
import type { Load } from './fault-load.ts'
import { atLeast, counted, exactly, type Fact } from './result.ts'

export async function factsOfAccounts(database: string, load: Load): Promise<readonly Fact[]> {
  const count = async (sql: string) => Number((await inDatabase({ database }, `SELECT count(*) AS n FROM ${sql}`))[0]?.n)
  const names = new Set(
    (await inDatabase({ database }, 'SELECT username FROM guildhall_users')).map(({ username }) => String(username)),
  )
  const missing = load.registered.filter((name) => !names.has(name))
  return [
    atLeast('registrations answered 201', 1, load.registered.length),
    exactly('of these, missing', 0, missing.length),
    counted('registrations answered 503', load.unsure.length),
    counted('of these, accounts that are there', load.unsure.filter((name) => names.has(name)).length),
    exactly('accounts without a password or without an entry in the audit trail', 0, await count(HALVES)),
    exactly('accounts with two passwords or two entries', 0, (await count(TWICE.credentials)) + (await count(TWICE.audit))),
    atLeast('logouts answered 204', 1, load.loggedOut.length),
    exactly('of these, undone', 0, await load.countUndone()),
    exactly(
      'of the last accounts answered 201, those that cannot log in',
      0,
      await load.countRefused(load.registered.slice(-20)),
    ),
  ]
}

const HALVES = `guildhall_users WHERE id NOT IN (SELECT user_id FROM guildhall_credentials)
  OR id NOT IN (SELECT user_id FROM guildhall_audit WHERE event = 'registered' AND user_id IS NOT NULL)`
const TWICE = {
  credentials:
    "(SELECT user_id FROM guildhall_credentials WHERE kind = 'password' GROUP BY user_id HAVING count(*) > 1) AS twice",
  audit: "(SELECT user_id FROM guildhall_audit WHERE event = 'registered' GROUP BY user_id HAVING count(*) > 1) AS twice",
}
