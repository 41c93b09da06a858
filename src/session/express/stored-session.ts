// A session as express-session writes it, and the row that it comes to.
import { isDate } from '../../domain/builtins.ts'
import type { Clock } from '../../domain/clock.ts'
import { digest } from '../../domain/secret.ts'
import { type SessionLimits, touchIntervalMs } from '../../domain/session-lifetime.ts'
import { Cookie, type CookieFields, readCookieText, textOfCookie } from '../cookies/cookie.ts'
import type { SerialisedValues } from '../data.ts'
import { COOKIE_KEY, defineOwn, isOwnKey, PREDECESSOR_KEY, readValues, rowWithValues, writeValues } from '../data.ts'
import { readStoredCookie } from '../request/detached-session.ts'
import { NO_LOGIN } from '../row.ts'
import type { SessionRow } from '../store.ts'
import type { StoredSession } from './callback-store.ts'

/** The limits and the clock of the middleware whose sessions these are. */
export interface AdoptionContext {
  readonly limits: SessionLimits
  readonly clock: Clock
}

/** The key of our own fields, which express-session leaves alone, so that an application can go back to it. */
const OWN_KEY = '__guildhall'
type OwnFields = Pick<SessionRow, 'publicId' | 'createdAt' | 'lastSeenAt' | 'idleMs' | 'endsAt' | 'persistent'> & {
  readonly predecessor: string | undefined
}

/** Makes a row from a stored session. One that express-session wrote counts as created now. */
export function rowOfStored(hash: string, stored: StoredSession, { limits, clock }: AdoptionContext): SessionRow {
  const now = clock.now()
  const cookie = readStoredCookie(stored.cookie)
  const maxAge = typeof cookie.originalMaxAge === 'number' ? cookie.originalMaxAge : undefined
  const idleMs = maxAge ?? limits.idleMs
  const own = readOwnFields(stored[OWN_KEY])
  const endsAt = own?.endsAt ?? now + Math.max(limits.absoluteMs, idleMs)
  const values = valuesOf(stored)
  const data = writeValues(values)
  return rowWithValues(
    {
      hash,
      publicId: own?.publicId ?? digest(hash),
      data,
      revision: revisionOf(data),
      createdAt: own?.createdAt ?? now,
      lastSeenAt: lastSeenOf(cookie, own, maxAge),
      idleMs: own?.idleMs ?? idleMs,
      // The store has judged by the cookie's date whether it was idle for too long; some keep that date nowhere else.
      expiresAt: endsAt,
      endsAt,
      persistent: own?.persistent ?? maxAge !== undefined,
      ...NO_LOGIN,
    },
    values,
  )
}

/**
 * A session as express-session would have written it: its cookie's date is the time at which the store may forget it. What the store put on
 * the session that it handed out (`from`), it finds there as it was: connect-mongo's `touch` reads a Date of its own.
 */
export function storedOfRow(row: SessionRow, clock: Clock, from?: StoredSession): StoredSession {
  const { data, expiresAt, publicId, createdAt, lastSeenAt, idleMs, endsAt, persistent } = row
  const values = readValues(data)
  const own: OwnFields = { publicId, createdAt, lastSeenAt, idleMs, endsAt, persistent, predecessor: values.get(PREDECESSOR_KEY) }
  const session = Object.assign(sessionOf(values, { clock, until: expiresAt }), { [OWN_KEY]: own })
  if (from !== undefined) restoreProperties(session, values, from)
  return session
}

/** Unchanged values as the store returned them, and properties that JSON cannot hold. */
function restoreProperties(session: StoredSession, values: SerialisedValues, from: StoredSession): void {
  for (const key of Reflect.ownKeys(from)) {
    if (typeof key === 'string' && (key === OWN_KEY || isOwnKey(key))) continue
    const property = Object.getOwnPropertyDescriptor(from, key)
    const text = typeof key === 'string' && property?.enumerable ? textOf(from[key]) : undefined
    const isUnchanged = typeof key === 'string' && text === values.get(key)
    if (property && isUnchanged) Object.defineProperty(session, key, property)
    else if (property && typeof key === 'symbol') Object.defineProperty(session, key, property)
  }
}

/** Undefined for properties of the store alone, which JSON cannot hold. */
function textOf(value: unknown): string | undefined {
  try {
    return JSON.stringify(value)
  } catch {
    return undefined
  }
}

/** The values of a session with its cookie; `attributes` apply if no cookie is stored. */
export function sessionOf(
  values: SerialisedValues,
  { clock, until, attributes }: { readonly clock: Clock; readonly until: number | undefined; readonly attributes?: CookieFields },
): StoredSession {
  const text = values.get(COOKIE_KEY)
  const cookie = new Cookie({ ...attributes, ...(text === undefined ? {} : readCookieText(text)) }, clock)
  const { originalMaxAge } = cookie
  if (until !== undefined) cookie.expires = new Date(until)
  cookie.originalMaxAge = originalMaxAge
  const session: StoredSession = { cookie }
  for (const [key, value] of values) if (!isOwnKey(key)) defineOwn(session, key, JSON.parse(value))
  return session
}

/** When a session was last seen. A store's `touch` changes the cookie's date alone, and some not even that. */
function lastSeenOf({ expires }: CookieFields, own: OwnFields | undefined, maxAge: number | undefined): number {
  const until = isDate(expires) ? expires.getTime() : 0
  if (own === undefined) return maxAge === undefined ? 0 : until - maxAge
  return Math.max(own.lastSeenAt, until - own.idleMs - touchIntervalMs(own.idleMs))
}

/** Such a store counts no revisions, and others write to it: the revision is a digest of 48 bits, which a number holds. */
function revisionOf(data: string): number {
  return Buffer.from(digest(data), 'base64url').readUIntBE(0, 6)
}

/** The values of a stored session, the application's and ours. */
function valuesOf(stored: StoredSession): SerialisedValues {
  const values = new Map<string, string>()
  for (const [key, value] of Object.entries(stored)) {
    if (key === OWN_KEY || isOwnKey(key)) continue
    // What another program stored is not this visitor's fault: a Map, for example, becomes what JSON makes of it.
    const text = textOf(value)
    if (text !== undefined) values.set(key, text)
  }
  values.set(COOKIE_KEY, textOfCookie(new Cookie(readStoredCookie(stored.cookie))))
  const predecessor = readOwnFields(stored[OWN_KEY])?.predecessor
  if (predecessor !== undefined) values.set(PREDECESSOR_KEY, predecessor)
  return values
}

function readOwnFields(value: unknown): OwnFields | undefined {
  if (typeof value !== 'object' || value === null) return undefined
  const { publicId, createdAt, lastSeenAt, idleMs, endsAt, persistent, predecessor }: Record<string, unknown> = { ...value }
  if (typeof publicId !== 'string' || typeof createdAt !== 'number' || typeof lastSeenAt !== 'number') return undefined
  if (typeof idleMs !== 'number' || typeof endsAt !== 'number') return undefined
  const own = { publicId, createdAt, lastSeenAt, idleMs, endsAt, persistent: persistent === true }
  return { ...own, predecessor: typeof predecessor === 'string' ? predecessor : undefined }
}
