// Members straight into the tables of a schema of PostgreSQL: each with an account, a password, a session and an entry of the audit trail.
import { openPostgres } from '../src/storage/postgres/database.ts'
import type { External, PostgresClient } from './external.ts'
import { DAY_MS, type Filled, visitorsOf } from './filled.ts'

export interface Bytes {
  readonly user: number
  readonly session: number
  readonly auditEntry: number
}

interface FilledPostgres extends Filled {
  readonly schema: string
}

/** What stands in the database of member number `i`; ids in no order, as real ones are. */
const USER_ID = "md5('user ' || i)::uuid::text"

export async function fillPostgres(external: External, rows: number): Promise<FilledPostgres> {
  const postgres = external.postgres ?? missing()
  const url = await external.newSchema()
  const open = () => openPostgres(url)
  const database = open()
  await database.migrate()
  await database.close()
  const schema = /search_path%3D(\w+)/.exec(url)?.[1] ?? ''
  const { hashes, ...cookies } = visitorsOf(rows)
  // Foreign keys hold by the way the rows are made; to ask for each would take longer than to write them.
  await postgres.query(`SET search_path = ${schema}; SET session_replication_role = replica; SET synchronous_commit = off`)
  for (const statement of statements(rows, hashes.length)) await postgres.query(statement)
  const { rows: known } = await postgres.query(
    `INSERT INTO guildhall_sessions SELECT hash, 'known ' || hash, ${rest(`(1 + (number - 1) * ${rows}::bigint / ${hashes.length})`)}
     FROM unnest($1::text[]) WITH ORDINALITY AS known (hash, number) RETURNING hash, user_id`,
    [hashes],
  )
  await postgres.query('RESET session_replication_role; RESET synchronous_commit; RESET search_path')
  for (const table of ['guildhall_users', 'guildhall_credentials', 'guildhall_sessions', 'guildhall_audit'])
    await postgres.query(`VACUUM ANALYZE ${schema}.${table}`)
  const visitors = known.map(({ hash, user_id }) => ({ hash: String(hash), userId: String(user_id) }))
  return {
    rows,
    schema,
    settings: { DATABASE_URL: url },
    needs: ['PostgreSQL'],
    open,
    dialect: 'postgres',
    explain,
    expire,
    visitors,
    ...cookies,
  }

  async function explain(sql: string, values: readonly unknown[]): Promise<readonly string[]> {
    await postgres.query(`SET search_path = ${schema}`)
    const { rows: steps } = await postgres.query(`EXPLAIN (COSTS OFF) ${sql}`, values)
    await postgres.query('RESET search_path')
    return steps.map((step) => String(step['QUERY PLAN']).trim())
  }

  async function expire(sessions: number): Promise<void> {
    const some = `SELECT hash FROM ${schema}.guildhall_sessions ORDER BY public_id LIMIT ${sessions}`
    await postgres.query(`UPDATE ${schema}.guildhall_sessions SET expires_at = 1 WHERE hash IN (${some})`)
  }
}

/** Tables with their indexes. An account is counted with its password. */
export async function bytesOf(postgres: PostgresClient, { schema, rows }: FilledPostgres): Promise<Bytes> {
  const { rows: found } = await postgres.query(
    `SELECT relname, pg_total_relation_size(oid)::float8 AS bytes FROM pg_class
     WHERE relnamespace = '${schema}'::regnamespace AND relname IN ('guildhall_users', 'guildhall_credentials', 'guildhall_sessions', 'guildhall_audit')`,
  )
  const of = (table: string) => Number(found.find(({ relname }) => relname === table)?.bytes) / rows
  return {
    user: of('guildhall_users') + of('guildhall_credentials'),
    session: of('guildhall_sessions'),
    auditEntry: of('guildhall_audit'),
  }
}

function statements(rows: number, known: number): readonly string[] {
  const now = Date.now()
  const all = `FROM generate_series(1, ${rows}) AS i`
  const hash = "'$argon2id$v=19$m=19456,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA$' || substr(md5('a' || i) || md5('b' || i), 1, 43)"
  return [
    `INSERT INTO guildhall_users (id, username, username_key, display_name, status, credential_epoch, roles, created_at)
     SELECT ${USER_ID}, 'Member-' || i, 'member-' || i, 'Member ' || i, 'active', 1, '[]', ${now} ${all}`,
    `INSERT INTO guildhall_credentials (id, user_id, kind, data, created_at, changed_at)
     SELECT md5('credential ' || i)::uuid::text, ${USER_ID}, 'password', ${hash}, ${now}, ${now} ${all}`,
    `INSERT INTO guildhall_sessions SELECT substr(md5('c' || i) || md5('d' || i), 1, 43), md5('public ' || i)::uuid::text, ${rest('i')}
     FROM generate_series(1, ${rows - known}) AS i`,
    `INSERT INTO guildhall_audit (id, at, event, outcome, user_id, ip, user_agent, quiet)
     SELECT md5('entry ' || i)::uuid::text, ${now} - i, 'login', 'success', ${USER_ID}, '198.51.100.7', '${AGENT}', 0 ${all}`,
  ]
}

const AGENT = 'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0'

/** Columns of a session after its hash and its public id. Seen in the future: no touch falls into the measurement. */
function rest(member: string): string {
  const now = Date.now()
  return `'{}', 0, ${now}, ${now + DAY_MS / 24}, 900000, ${now + DAY_MS}, ${now + DAY_MS}, 0, ${USER_ID.replace(' || i', ` || ${member}`)}, 1, 'password', ${now}, '198.51.100.7', '${AGENT}'`
}

function missing(): never {
  throw new Error('there is no PostgreSQL')
}
