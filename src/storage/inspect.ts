// Questions of the operator: is the file sound, which accounts could not log in.
import { sql } from 'kysely'
import { statement } from './statement.ts'

/** SQLite's own look at the file; one row `ok`, or a row for each thing that is wrong. https://www.sqlite.org/pragma.html#pragma_quick_check */
export const quickCheck = statement(
  'quick check',
  (db) => ({ compile: () => sql<{ quick_check: string }>`pragma quick_check(10)`.compile(db) }),
  (row) => row.quick_check,
)

/** How many connections a PostgreSQL server takes from all its clients together, but for those of its superusers. */
export const connectionsAllowed = statement(
  'connections allowed',
  (db) => ({
    compile: () =>
      sql<{ allowed: string }>`
        select current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int as allowed
      `.compile(db),
  }),
  ({ allowed }) => Number(allowed),
)

/** Password hashes of accounts that may log in, a page at a time. */
export const passwordsAfter = statement(
  'passwords after',
  (db, p: { after: string; limit: number }) =>
    db
      .selectFrom('guildhall_credentials')
      .innerJoin('guildhall_users', 'guildhall_users.id', 'guildhall_credentials.user_id')
      .select(['guildhall_credentials.id as id', 'guildhall_credentials.data as data'])
      .where('guildhall_credentials.kind', '=', 'password')
      .where('guildhall_users.status', '=', 'active')
      .where('guildhall_credentials.id', '>', p.after)
      .orderBy('guildhall_credentials.id')
      .limit(p.limit),
  ({ id, data }) => ({ id, passwordHash: data }),
)
