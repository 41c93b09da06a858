// How the database finds what a request, a login, an operator's page and the cleanup ask for, among a million.
import { findAllWithUsers, findWithUser } from '../src/storage/sessions.ts'
import type { Dialect } from '../src/storage/statement.ts'
import { findForLogin, listUsers } from '../src/storage/users.ts'
import type { Filled } from './filled.ts'

export interface Plan {
  readonly of: string
  readonly steps: readonly string[]
}

/** The cleanup's statement belongs to the session store, and reads the same. */
const EXPIRED = {
  sqlite: 'SELECT hash FROM guildhall_sessions WHERE expires_at <= ? ORDER BY expires_at LIMIT ?',
  postgres: 'SELECT hash FROM guildhall_sessions WHERE expires_at <= $1 ORDER BY expires_at LIMIT $2',
} as const

export async function plansOf({ dialect, explain, visitors: [visitor] }: Filled): Promise<readonly Plan[]> {
  if (visitor === undefined) throw new Error('nobody visits')
  const login = findForLogin.compile(dialect)
  const firstPage = listUsers.compile(dialect)
  const asked = [
    { of: 'the session of a request, with its user', ...sessionOf(dialect, visitor.hash) },
    { of: 'the user of a login', sql: login.sql, values: login.bind({ usernameKey: 'member-1' }) },
    { of: 'the first page of the users', sql: firstPage.sql, values: firstPage.bind({ after: '', limit: 50 }) },
    { of: 'sessions that have expired', sql: EXPIRED[dialect], values: [1, 100] },
  ]
  const plans: Plan[] = []
  for (const { of, sql, values } of asked) plans.push({ of, steps: await explain(sql, values) })
  return plans
}

function sessionOf(dialect: Dialect, hash: string) {
  if (dialect === 'sqlite') return { sql: findWithUser.compile('sqlite').sql, values: [hash] }
  return { sql: findAllWithUsers.compile('postgres').sql, values: [`{${hash}}`] }
}
