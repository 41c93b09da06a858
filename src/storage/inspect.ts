// Questions of the operator: is the file sound, which accounts could not log in.
import { sql } from 'kysely'
import { statement } from './statement.ts'

/** SQLite's own look at the file; one row `ok`, or a row for each thing that is wrong. https://www.sqlite.org/pragma.html#pragma_quick_check */
export const quickCheck = statement('quick check', (db) => ({
  compile: () => sql<{ quick_check: string }>`pragma quick_check(10)`.compile(db),
}))

/** How many connections a PostgreSQL server takes from all its clients together, but for those of its superusers. */
export const connectionsAllowed = statement('connections allowed', (db) => ({
  compile: () =>
    sql<{ allowed: string }>`
      select current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int as allowed
    `.compile(db),
}))

/** Password hashes of accounts that may log in, a page at a time. */
export const passwordsAfter = statement('passwords after', (db, p: { after: string; limit: number }) =>
  db
    .selectFrom('credentials')
    .innerJoin('users', 'users.id', 'credentials.user_id')
    .select(['credentials.id as id', 'credentials.value as value'])
    .where('credentials.kind', '=', 'password')
    .where('users.status', '=', 'active')
    .where('credentials.id', '>', p.after)
    .orderBy('credentials.id')
    .limit(p.limit),
)
