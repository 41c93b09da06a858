// Reads all rows of a database, but for what a mere visit may change.
import { allRows, type Kept, type Row } from '../support/database-inspector.ts'

const MOVED_BY_VISITS = ['last_seen_at', 'expires_at']

export async function dump(kept: Kept): Promise<Readonly<Record<string, readonly Row[]>>> {
  const tables = Object.entries(await allRows(kept))
  return Object.fromEntries(tables.map(([name, rows]) => [name, rows.map(withoutMoves)]))
}

function withoutMoves(row: Row): Row {
  return Object.fromEntries(Object.entries(row).filter(([column]) => !MOVED_BY_VISITS.includes(column)))
}
