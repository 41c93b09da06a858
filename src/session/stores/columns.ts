// The columns of a session in SQL, and a row from their values.
import type { SessionRow } from '../store.ts'

/** In the order that `sessionFrom` expects. */
export const SESSION_COLUMNS = [
  'hash',
  'public_id',
  'data',
  'revision',
  'created_at',
  'last_seen_at',
  'idle_ms',
  'expires_at',
  'ends_at',
  'persistent',
  'user_id',
  'credential_epoch',
  'factors',
  'authenticated_at',
  'ip',
  'user_agent',
] as const

export function columnDefinitions(integer: 'INTEGER' | 'bigint'): string {
  return `hash TEXT PRIMARY KEY, public_id TEXT NOT NULL UNIQUE, data TEXT NOT NULL, revision ${integer} NOT NULL DEFAULT 0,
    created_at ${integer} NOT NULL, last_seen_at ${integer} NOT NULL, idle_ms ${integer} NOT NULL, expires_at ${integer} NOT NULL,
    ends_at ${integer} NOT NULL, persistent ${integer} NOT NULL, user_id TEXT, credential_epoch ${integer}, factors TEXT,
    authenticated_at ${integer}, ip TEXT, user_agent TEXT`
}

/** No release had this table, so nothing is migrated. */
export function otherTable(table: string): string {
  return `the table ${table} is of a version of Guildhall before its first release: drop it, and ${table}_sweep beside it, and it is made anew`
}

export type ColumnValue = string | number | null

/** A session from the values of SESSION_COLUMNS; the caller handles further values. Numbers may be texts: pg returns bigint so. */
export function sessionFrom(values: readonly unknown[]): SessionRow {
  return {
    hash: String(values[0]),
    publicId: String(values[1]),
    data: String(values[2]),
    revision: Number(values[3]),
    createdAt: Number(values[4]),
    lastSeenAt: Number(values[5]),
    idleMs: Number(values[6]),
    expiresAt: Number(values[7]),
    endsAt: Number(values[8]),
    persistent: Number(values[9]) === 1,
    userId: textOrNothing(values[10]),
    credentialEpoch: numberOrNothing(values[11]),
    factors: textOrNothing(values[12]),
    authenticatedAt: numberOrNothing(values[13]),
    ip: textOrNothing(values[14]),
    userAgent: textOrNothing(values[15]),
  }
}

/** The values of a session, in the order of SESSION_COLUMNS. */
export function valuesOf(row: SessionRow): ColumnValue[] {
  return [
    row.hash,
    row.publicId,
    row.data,
    row.revision,
    row.createdAt,
    row.lastSeenAt,
    row.idleMs,
    row.expiresAt,
    row.endsAt,
    row.persistent ? 1 : 0,
    row.userId ?? null,
    row.credentialEpoch ?? null,
    row.factors ?? null,
    row.authenticatedAt ?? null,
    row.ip ?? null,
    row.userAgent ?? null,
  ]
}

function textOrNothing(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined
}

function numberOrNothing(value: unknown): number | undefined {
  return value === null || value === undefined ? undefined : Number(value)
}
