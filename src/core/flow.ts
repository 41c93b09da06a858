// Flows: what lies between two steps of one browser, under its flow cookie and a number of its own.
import { newId } from '../domain/secret.ts'
import {
  deleteFlow,
  deleteFlowsOfBrowser,
  deleteOldestOfBrowser,
  deleteOldestOfUser,
  findAnyFlow,
  findFlowRow,
  insertFlow,
} from '../storage/flows.ts'
import { type BoundStatement, bind } from '../storage/statement.ts'
import type { Caller } from './caller.ts'
import type { Core } from './core.ts'

/** How long a step waits for the next one; the cookie lives as long. */
export const FLOW_MS = 10 * 60_000

/** The newest stay: nobody has so many tabs, and no program may fill the table. */
const MAX_PER_BROWSER = 10
const MAX_PER_USER = 20

export interface NewFlow {
  /** What the next step is; a number has at most one row of each purpose. */
  readonly purpose: string
  /** Whom it is about, so that it goes with the user. */
  readonly userId: string
  /** For JSON: no token and no code. */
  readonly data: FlowData
}

type FlowData = Readonly<Record<string, string>>

/** A flow of the caller's browser that was found. */
export interface Flow {
  readonly hash: string
  readonly number: string
  readonly purpose: string
  readonly data: Readonly<Record<string, string | undefined>>
}

/** Begins a flow in the caller's browser and returns its number, which the forms of the flow carry. */
export async function beginFlow(core: Core, { purpose, userId, data }: NewFlow, caller: Caller): Promise<string> {
  const now = core.clock.now()
  const number = newId()
  const hash = caller.keepFlowCookie()
  const row = { hash, number, purpose, userId, data: JSON.stringify(data), now, expiresAt: now + FLOW_MS }
  await core.db.transaction([
    bind(insertFlow, row, { expectRows: 1 }),
    bind(deleteOldestOfBrowser, { hash, keep: MAX_PER_BROWSER }),
    bind(deleteOldestOfUser, { userId, purpose, keep: MAX_PER_USER }),
  ])
  return number
}

/** Undefined if it is over, was used, or is another browser's. */
export async function findFlow(core: Core, purpose: string, number: string, caller: Caller): Promise<Flow | undefined> {
  const hash = caller.flowHash
  if (hash === undefined) return undefined
  const row = await core.db.first(findFlowRow, { hash, number, purpose, now: core.clock.now() })
  if (!row) return undefined
  const data: FlowData = JSON.parse(row.data)
  return { hash, number, purpose, data }
}

/** In the transaction of the act. */
export function useFlow({ hash, number, purpose }: Flow): BoundStatement {
  return bind(deleteFlow, { hash, number, purpose })
}

/** After the act: the cookie goes with the browser's last flow. */
export async function leaveFlow(core: Core, caller: Caller): Promise<void> {
  const hash = caller.flowHash
  if (hash === undefined) return
  if (!(await core.db.first(findAnyFlow, { hash, now: core.clock.now() }))) caller.dropFlowCookie()
}

/** Ends all flows of the caller's browser. */
export async function endFlows(core: Core, caller: Caller): Promise<void> {
  const hash = caller.flowHash
  if (hash === undefined) return
  await core.db.write(deleteFlowsOfBrowser, { hash })
  caller.dropFlowCookie()
}
