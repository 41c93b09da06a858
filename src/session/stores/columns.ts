// The columns of a session in SQL, and a row from their values.
import type { SessionRow } from '../store.ts'

/** In the order in which `sessionFrom` takes their values. */
export const SESSION_COLUMNS = [
  'hash',
  'public_id',
  'data',
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

export type ColumnValue = string | number | null

/** A session from the values of SESSION_COLUMNS; further values are left to the caller. Numbers may come as texts, as pg gives bigint. */
export function sessionFrom(values: readonly unknown[]): SessionRow {
  return {
    hash: String(values[0]),
    publicId: String(values[1]),
    data: String(values[2]),
    createdAt: Number(values[3]),
    lastSeenAt: Number(values[4]),
    idleMs: Number(values[5]),
    expiresAt: Number(values[6]),
    endsAt: Number(values[7]),
    persistent: Number(values[8]) === 1,
    userId: textOrNothing(values[9]),
    credentialEpoch: numberOrNothing(values[10]),
    factors: textOrNothing(values[11]),
    authenticatedAt: numberOrNothing(values[12]),
    ip: textOrNothing(values[13]),
    userAgent: textOrNothing(values[14]),
  }
}

/** The values of a session, in the order of SESSION_COLUMNS. */
export function valuesOf(row: SessionRow): ColumnValue[] {
  return [
    row.hash,
    row.publicId,
    row.data,
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
