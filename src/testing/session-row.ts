// Makes session rows for tests of a store, with helpers.
import assert from 'node:assert/strict'
import { systemClock } from '../domain/clock.ts'
import { readValues } from '../session/data.ts'
import type { SessionRow, SessionStore } from '../session/store.ts'

let made = 0

/** A row with a unique hash. It begins now, as a store that deletes expired rows has a clock of its own. */
export function sessionRow(changes: Partial<SessionRow> = {}): SessionRow {
  made++
  const now = systemClock.now()
  return {
    hash: `${made}-${process.pid}`.padEnd(43, 'h'),
    publicId: `public-${made}-${process.pid}`,
    data: '{}',
    revision: 0,
    createdAt: now,
    lastSeenAt: now,
    idleMs: 900_000,
    expiresAt: now + 960_000,
    endsAt: now + 43_200_000,
    persistent: false,
    userId: undefined,
    credentialEpoch: undefined,
    factors: undefined,
    authenticatedAt: undefined,
    ip: undefined,
    userAgent: undefined,
    ...changes,
  }
}

export function later(row: SessionRow, seconds: number): { lastSeenAt: number; expiresAt: number } {
  return { lastSeenAt: row.lastSeenAt + seconds * 1000, expiresAt: row.expiresAt + seconds * 1000 }
}

export async function dataOf(store: SessionStore, { hash }: SessionRow): Promise<Record<string, string>> {
  const found = await store.find(hash)
  assert.ok(found)
  return Object.fromEntries(readValues(found.data))
}

export function times<T>(count: number, make: (n: number) => T): T[] {
  return Array.from({ length: count }, (_, n) => make(n))
}
