// Members and their session ids, as a thief of cookies would try them.
import { digest } from '../../src/domain/secret.ts'
import { hasSession, type Kept } from './database-inspector.ts'
import type { Site } from './site.ts'
import { rawGet, type Visitor } from './visitor.ts'

export interface Member {
  readonly visitor: Visitor
  /** What the session cookie carries. */
  readonly id: string
}

/** Registers somebody, who is logged in then. */
export async function memberOf(site: Site, username: string): Promise<Member> {
  const visitor = site.visitor()
  await visitor.register(username)
  return { visitor, id: await idOf(visitor) }
}

/** The id in a visitor's session cookie; empty if there is none. */
export async function idOf(visitor: Visitor): Promise<string> {
  return (await visitor.sessionId()) ?? ''
}

/** What the profile answers to a request with this id: 200 or 401. */
export async function statusWith(site: Site, id: string): Promise<number> {
  return (await rawGet(site.base, '/api/profile', `guildhall=${id}`)).status
}

/** Whether the database has a session under this id, live or not. */
export function hasRow(site: Kept, id: string): Promise<boolean> {
  return hasSession(site, digest(id))
}
