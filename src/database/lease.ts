// Which of several processes does what only one may do at a time: it says so in a table.
import { MAX_CLOCK_SKEW_MS } from '../domain/clock.ts'

/** Makes the table of leases, on SQLite and on PostgreSQL. */
export function createLeases(table: string): string {
  return `CREATE TABLE IF NOT EXISTS ${table} (name text PRIMARY KEY, holder text NOT NULL, until bigint NOT NULL)`
}

/**
 * Touches a row if the lease was free, over or the holder's own, or if it ends later than this one: then a clock was wrong. Values: name,
 * holder, until, now.
 */
export function acquireLease(table: string, dialect: 'sqlite' | 'postgres'): string {
  const [name, holder, until, now] = dialect === 'sqlite' ? ['?', '?', '?', '?'] : ['$1', '$2', '$3', '$4']
  return `INSERT INTO ${table} (name, holder, until) VALUES (${name}, ${holder}, ${until}) ON CONFLICT (name) DO UPDATE
    SET holder = excluded.holder, until = excluded.until WHERE ${table}.until <= ${now} OR ${table}.holder = excluded.holder
    OR ${table}.until > excluded.until + ${MAX_CLOCK_SKEW_MS}`
}
