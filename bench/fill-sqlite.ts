// Members straight into the tables of a SQLite file: each with an account, a password and a session.
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { openSqlite } from '../src/storage/sqlite/database.ts'
import { DAY_MS, type Filled, visitorsOf } from './filled.ts'
import { newFolder } from './processes.ts'

const COLUMNS = `hash, public_id, data, created_at, last_seen_at, idle_ms, expires_at, ends_at, persistent,
  user_id, credential_epoch, factors, authenticated_at, ip, user_agent`

export async function fillSqlite(rows: number): Promise<Filled> {
  const file = join(newFolder(), 'members.db')
  const open = () => openSqlite(file)
  const database = open()
  await database.migrate()
  await database.close()
  const { hashes, ...cookies } = visitorsOf(rows)

  const sql = new DatabaseSync(file)
  const now = Date.now()
  // Seen in the future: no touch falls into the measurement.
  const rest = `'{}', ${now}, ${now + DAY_MS / 24}, 900000, ${now + DAY_MS}, ${now + DAY_MS}, 0, id, 1, 'password', ${now}, '127.0.0.1', 'benchmark'`
  sql.exec('PRAGMA synchronous = OFF; PRAGMA cache_size = -262144; BEGIN')
  sql.exec(`
    WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ${rows})
    INSERT INTO guildhall_users (id, username, username_key, display_name, status, credential_epoch, roles, created_at)
    SELECT printf('%08x-0000-4000-8000-000000000000', i), 'Member-' || i, 'member-' || i, 'Member ' || i, 'active', 1, '[]', ${now} FROM n;
    INSERT INTO guildhall_credentials (id, user_id, kind, data, created_at, changed_at)
    SELECT 'c' || id, id, 'password', '$argon2id$v=19$m=19456,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA$' || hex(randomblob(21)), ${now}, ${now} FROM guildhall_users;
    INSERT INTO guildhall_sessions (${COLUMNS})
    SELECT substr(hex(randomblob(32)), 1, 43), hex(randomblob(16)), ${rest} FROM guildhall_users LIMIT ${rows - hashes.length}`)
  const known = sql.prepare(
    `INSERT INTO guildhall_sessions (${COLUMNS}) SELECT ?, hex(randomblob(16)), ${rest} FROM guildhall_users WHERE username_key = ?
     RETURNING user_id AS userId`,
  )
  const visitors = hashes.map((hash, at) => {
    const visitor = known.get(hash, `member-${Math.floor((at * rows) / hashes.length) + 1}`)
    return { hash, userId: String(visitor?.userId) }
  })
  sql.exec('COMMIT; ANALYZE; PRAGMA wal_checkpoint(TRUNCATE)')
  sql.close()
  return {
    rows,
    settings: { DATABASE_URL: `sqlite:${file}` },
    needs: [],
    open,
    dialect: 'sqlite',
    explain,
    expire,
    visitors,
    ...cookies,
  }

  async function explain(statement: string, values: readonly unknown[]): Promise<readonly string[]> {
    const reader = new DatabaseSync(file)
    const steps = reader.prepare(`EXPLAIN QUERY PLAN ${statement}`).all(...values.map(sqlValue))
    reader.close()
    return steps.map(({ detail }) => String(detail))
  }

  async function expire(sessions: number): Promise<void> {
    const writer = new DatabaseSync(file)
    writer.exec(
      `UPDATE guildhall_sessions SET expires_at = 1 WHERE rowid IN (SELECT rowid FROM guildhall_sessions LIMIT ${sessions})`,
    )
    writer.close()
  }
}

function sqlValue(value: unknown): string | number {
  return typeof value === 'number' ? value : String(value)
}
