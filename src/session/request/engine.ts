// What all requests of one middleware share.
import type { IncomingMessage } from 'node:http'
import type { Clock } from '../../domain/clock.ts'
import type { SessionLimits } from '../../domain/session-lifetime.ts'
import type { Transport } from '../cookies/transport.ts'
import type { CookieAttributes, CookieSettings } from '../cookies/write.ts'
import type { SessionRow, SessionStore } from '../store.ts'
import type { Session } from './session.ts'
import type { SessionOperations } from './session-operations.ts'

/** The settings for which browsers drop a cookie: `Secure` over HTTP, cross-site without `Secure`, an end that has passed. */
export type DroppedBy = 'secure' | 'sameSite' | 'partitioned' | 'maxAge'

/** The options of `session()` that express-session has too. A membership takes the defaults. */
export interface SessionBehavior {
  /** These four are the options of the same names. */
  readonly rolling: boolean
  /** What happens to a session at every request: it is marked as seen or, in a store of express-session, written. */
  readonly resave: false | 'touch' | 'write'
  readonly saveUninitialized: boolean
  readonly unset: 'destroy' | 'keep'
  /** Whether `delete req.session` is noticed even if nothing else was done with the session: it defers each of its responses. */
  readonly watchesUnset: boolean
  /** Whether `req.session.cookie` can be changed. */
  readonly cookieCanChange: boolean
  /** Whether each session stores the attributes of its cookie, as they are not the same for all. */
  readonly storesCookie: boolean
  /** Whether a session lives as long as its cookie's maxAge, and may live longer than the absolute timeout for it. */
  readonly idleFollowsCookie: boolean
  readonly absoluteFollowsCookie: boolean
  readonly transport: Transport
  /** Called with the setting for which no browser would keep a cookie, which does not go out. Default: it goes out anyway; a membership knows that a proxy speaks HTTPS. */
  onDropped?(setting: DroppedBy): void
  /** The attributes of the cookie for one request. Default: those of the settings. */
  attributesFor?(req: IncomingMessage): CookieAttributes
  newId?(req: IncomingMessage): string
  /** The user of a session, by its data. Default: none; a membership names the user at the login. */
  userOf?(session: object): string | undefined
}

export const DEFAULT_BEHAVIOR: SessionBehavior = {
  rolling: false,
  resave: false,
  saveUninitialized: false,
  unset: 'destroy',
  watchesUnset: false,
  cookieCanChange: false,
  storesCookie: false,
  idleFollowsCookie: false,
  absoluteFollowsCookie: false,
  transport: 'express',
}

export interface Engine<Row extends SessionRow = SessionRow> {
  readonly store: SessionStore<Row>
  readonly cookie: CookieSettings
  readonly limits: SessionLimits
  readonly clock: Clock
  readonly behavior: SessionBehavior
  makeSession(operations: SessionOperations<Row>): Session<Row>
  /** The reserved names of the class of sessions. */
  readonly reserved: ReadonlySet<string>
  isLive(row: Row | undefined): row is Row
  readonly keyOf: (id: string) => string
}

export interface LoadedSession<Row> {
  readonly id: string
  readonly row: Row
}
