// All rows of a database, but for what a mere visit may move: when a session was last seen, and so when it ends.
import { DatabaseSync, type SQLOutputValue } from 'node:sqlite'

const MOVED_BY_VISITS = ['last_seen_at', 'expires_at']

type Rows = Readonly<Record<string, readonly Readonly<Record<string, SQLOutputValue>>[]>>

export function dump(file: string): Rows {
  const database = new DatabaseSync(file, { readOnly: true })
  try {
    const tables = database.prepare("SELECT name FROM sqlite_master WHERE type = 'table'").all()
    return Object.fromEntries(
      tables.map(({ name }) => [
        name,
        database
          .prepare(`SELECT * FROM "${String(name)}"`)
          .all()
          .map(withoutMoves),
      ]),
    )
  } finally {
    database.close()
  }
}

function withoutMoves(row: Record<string, SQLOutputValue>): Record<string, SQLOutputValue> {
  return Object.fromEntries(Object.entries(row).filter(([column]) => !MOVED_BY_VISITS.includes(column)))
}
