// Who takes part in the reads: one JSON route that needs a login, behind each of them, and our own in several forms.
import type { Need } from './external.ts'

export interface Contestant {
  readonly name: string
  /** The application of bench/apps/, or the whole server. Contestants of one host share its process. */
  readonly host: string
  readonly path: string
  readonly as: 'member' | 'anonymous'
  readonly headers?: Readonly<Record<string, string>>
  /** Servers that have to be there. */
  readonly needs?: readonly Need[]
  /** At most so many times bare Express. */
  readonly goal?: number
  readonly inReadme?: boolean
}

/** What all others are compared with, in a process of its own. */
export const BARE: Contestant = { name: 'bare Express', host: 'bare Express', path: '/profile', as: 'anonymous', inReadme: true }

/** Bare Express in another process. That it takes once as much is what shows that the figures can be believed. */
export const CONTROL = 'bare Express again, as a control'

const SERVER = 'whole server'
const LIBRARY = 'guildhall as a library'
const REDIS: readonly Need[] = ['Redis']
const POSTGRES: readonly Need[] = ['PostgreSQL']
const BOTH: readonly Need[] = ['PostgreSQL', 'Redis']
const member = { path: '/profile', as: 'member' } as const
const anonymous = { path: '/bare', as: 'anonymous' } as const
const profile = { path: '/api/profile', as: 'member' } as const

/** `guildhall serve`, and where it keeps its data. */
export const servers: ReadonlyMap<string, readonly Need[]> = new Map([
  [SERVER, []],
  [`${SERVER}, PostgreSQL`, POSTGRES],
  [`${SERVER}, PostgreSQL and Redis`, BOTH],
])

/** Where one registers before one logs in. */
export function hasMembers(host: string): boolean {
  return servers.has(host) || host === LIBRARY
}

export const contestants: readonly Contestant[] = [
  { name: CONTROL, host: CONTROL, path: '/profile', as: 'anonymous' },
  { name: 'node:http, no framework', host: 'node:http', path: '/profile', as: 'anonymous' },
  { name: 'express-session 1.19, MemoryStore', host: 'express-session, MemoryStore', ...member },
  { name: 'passport 0.7 + express-session, MemoryStore', host: 'passport, MemoryStore', ...member },
  {
    name: 'express-session + connect-redis 10',
    host: 'express-session, connect-redis',
    needs: REDIS,
    ...member,
    inReadme: true,
  },
  { name: 'express-session + a plain SQLite store', host: 'express-session, SQLite', ...member },
  {
    name: 'express-session + connect-pg-simple 10',
    host: 'express-session, connect-pg-simple',
    needs: POSTGRES,
    ...member,
    inReadme: true,
  },
  { name: 'iron-session 9 (sealed cookie)', host: 'iron-session', ...member },
  { name: 'better-auth 1.7, cookie cache on', host: 'better-auth, cookie cache', ...member, inReadme: true },
  { name: 'better-auth 1.7, SQLite', host: 'better-auth, SQLite', ...member },
  { name: '`guildhall/session`, SQLite, anonymous', host: 'guildhall/session, SQLite', ...anonymous, goal: 1.05 },
  { name: '`guildhall/session`, memory store, signed', host: 'guildhall/session, memory, signed', ...member, goal: 1.25 },
  { name: '`guildhall/session`, SQLite store', host: 'guildhall/session, SQLite', ...member, goal: 1.25, inReadme: true },
  { name: '`guildhall/session`, Redis store', host: 'guildhall/session, Redis', needs: REDIS, ...member, goal: 2 },
  { name: '`guildhall/session`, PostgreSQL store', host: 'guildhall/session, PostgreSQL', needs: POSTGRES, ...member, goal: 2 },
  { name: 'library, anonymous', host: LIBRARY, ...anonymous, goal: 1.05 },
  { name: 'library, own route behind `requireLogin`', host: LIBRARY, path: '/diary', as: 'member' },
  { name: 'whole server, `GET /api/profile`', host: SERVER, ...profile, goal: 1.6, inReadme: true },
  { name: 'whole server, `GET /api/profile`, PostgreSQL', host: `${SERVER}, PostgreSQL`, needs: POSTGRES, ...profile },
  {
    name: 'whole server, `GET /api/profile`, PostgreSQL and Redis',
    host: `${SERVER}, PostgreSQL and Redis`,
    needs: BOTH,
    ...profile,
  },
  {
    name: 'whole server, `GET /profile` as HTML',
    host: SERVER,
    path: '/profile',
    as: 'member',
    headers: { Accept: 'text/html' },
    goal: 2.5,
  },
]
