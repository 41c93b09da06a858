// Questions of the operator: is the file sound, which accounts could not log in.
import { sql } from 'kysely'
import { type SchemaObject, SELECT_OBJECTS } from './sqlite/foreign-objects.ts'
import { statement } from './statement.ts'

/** SQLite's own check of the file; one row `ok`, or a row for each fault. https://www.sqlite.org/pragma.html#pragma_quick_check */
export const quickCheck = statement(
  'quick check',
  (db) => ({ compile: () => sql<{ quick_check: string }>`pragma quick_check(10)`.compile(db) }),
  (row) => row.quick_check,
)

/** The schema of a SQLite file, for `describeForeign`. */
export const schemaObjects = statement('schema objects', (db) => ({
  compile: () => sql<SchemaObject>`${sql.raw(SELECT_OBJECTS)}`.compile(db),
}))

/** Triggers, rules, policies, defaults and generated columns in PostgreSQL that act on our tables and are not ours. */
export const foreignActs = statement(
  'foreign acts',
  (db) => ({
    compile: () =>
      sql<{ what: string }>`
        with ours as (select oid, relname from pg_class where relnamespace = current_schema()::regnamespace
          and relkind in ('r', 'p') and relname like 'guildhall\\_%')
        select 'the trigger ' || tgname || ' of ' || relname as what from pg_trigger join ours on tgrelid = ours.oid where not tgisinternal
        union all select 'the rule ' || rulename || ' of ' || relname from pg_rewrite join ours on ev_class = ours.oid
        union all select 'the policy ' || polname || ' of ' || relname from pg_policy join ours on polrelid = ours.oid
        union all select 'a default of ' || relname || '.' || attname from pg_attrdef join ours on adrelid = ours.oid
          join pg_attribute on attrelid = adrelid and attnum = adnum
          where (relname, attname) not in (('guildhall_sessions', 'revision'), ('guildhall_mails', 'attempts'), ('guildhall_tokens', 'tries'))
          or pg_get_expr(adbin, adrelid) not in ('0', '''0''::bigint')
        union all select 'the index ' || indexrelid::regclass || ' of ' || relname from pg_index join ours on indrelid = ours.oid
          where indexprs is not null
        order by 1
      `.compile(db),
  }),
  (row) => row.what,
)

/** How many connections a PostgreSQL server accepts from all clients together, without those kept for superusers. */
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

/** Password hashes of accounts that may log in, page by page. */
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
