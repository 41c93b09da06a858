// What saving, updating and the life cycle know of a request, and of the session behind it.
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Awaitable } from '../../domain/awaitable.ts'
import type { SessionCookies } from '../cookies/read.ts'
import type { CookieAttributes } from '../cookies/write.ts'
import type { SessionRow } from '../store.ts'
import type { Engine } from './engine.ts'
import type { SessionHandle } from './session-handle.ts'

export type Next = (error?: unknown) => void

export interface SessionRequest {
  readonly req: IncomingMessage
  readonly res: ServerResponse
  readonly next: Next
  readonly cookies: SessionCookies
  readonly attributes: CookieAttributes
}

export interface RequestState<Row extends SessionRow = SessionRow> {
  readonly engine: Engine<Row>
  readonly request: SessionRequest
  /** Of the id at hand. */
  readonly handle: SessionHandle<Row>
  /** The Set-Cookies that hand out or clear the session cookie. */
  readonly outgoingCookies: readonly string[] | undefined
  /** While the function of `update` runs. */
  isChanging: boolean
  /** What the application asked for, after what it asked for before; `atOnce` does not wait. The response waits for it, and fails with it. */
  act<T>(work: () => Awaitable<T>, atOnce?: () => void): Promise<T>
  /** Ends the session at hand. Its cookie does not go out any more. */
  end(): void
  /** Goes on with another id. Nothing of the old one goes out any more. */
  replaceHandle(handle: SessionHandle<Row>): void
  /** Of a handle that is no longer at hand no cookie goes out. */
  sendCookies(handle: SessionHandle<Row>, cookies: readonly string[]): void
  clearCookie(handle: SessionHandle<Row>): void
  /** Another request superseded or ended the session meanwhile. */
  lost(handle: SessionHandle<Row>): void
}
