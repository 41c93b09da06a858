// A database with as many members as growth asks for, wherever it is.
import { digest, newToken } from '../src/domain/secret.ts'
import type { Database } from '../src/storage/contract.ts'
import type { Dialect } from '../src/storage/statement.ts'
import type { Need } from './external.ts'
import { linesFile } from './processes.ts'

export interface Filled {
  readonly rows: number
  /** What leads `guildhall serve` there. */
  readonly settings: Readonly<Record<string, string>>
  /** Whose CPU time a request takes beside the site's own. */
  readonly needs: readonly Need[]
  open(): Database
  readonly dialect: Dialect
  /** The steps of a statement's plan, one line each. */
  explain(sql: string, values: readonly unknown[]): Promise<readonly string[]>
  /** Lets so many sessions be over. */
  expire(sessions: number): Promise<void>
  /** Those who will come: what their sessions are called in the store, and who they are. */
  readonly visitors: readonly Visitor[]
  /** Files of Cookie headers: of everybody who will come, and of a thousand of them. */
  readonly everybody: string
  readonly some: string
}

export interface Visitor {
  readonly hash: string
  readonly userId: string
}

export const FEW = 1000
const MOST_VISITORS = 20_000
export const DAY_MS = 86_400_000

/** Ids of sessions that somebody knows; all other sessions are nobody's. */
export function visitorsOf(rows: number) {
  const ids = Array.from({ length: Math.min(rows, MOST_VISITORS) }, () => newToken())
  const cookies = ids.map((id) => `guildhall=${id}; guildhall-seen=1`)
  return { hashes: ids.map(digest), everybody: linesFile(cookies), some: linesFile(cookies.slice(0, FEW)) }
}
