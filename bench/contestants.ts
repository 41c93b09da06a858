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
  /** At most so many times another contestant. */
  readonly against?: { readonly name: string; readonly most: number }
  /** Left out of the README's table. */
  readonly onlyInDocs?: boolean
}

export const BARE = 'bare Express'
const SERVER = 'whole server'
const LIBRARY = 'guildhall as a library'

const REDIS = 'express-session + connect-redis 10'
const POSTGRES = 'express-session + connect-pg-simple 10'
const REDIS_ALONE = ['Redis'] as const
const POSTGRES_ALONE = ['PostgreSQL'] as const
const BOTH = ['PostgreSQL', 'Redis'] as const
const member = { path: '/profile', as: 'member' } as const
const diary = { path: '/diary', as: 'member' } as const
const profile = { path: '/api/profile', as: 'member' } as const
const rare = { onlyInDocs: true } as const

/** `guildhall serve`, and where it keeps its data. */
export const servers: ReadonlyMap<string, readonly Need[]> = new Map<string, readonly Need[]>([
  [SERVER, []],
  [`${SERVER}, PostgreSQL`, POSTGRES_ALONE],
  [`${SERVER}, PostgreSQL and Redis`, BOTH],
])

/** Where one registers before one logs in. */
export function hasMembers(host: string): boolean {
  return servers.has(host) || host.startsWith(LIBRARY)
}

export const contestants: readonly Contestant[] = [
  { name: 'node:http, no framework', host: 'node:http', path: '/profile', as: 'anonymous', ...rare },
  { name: BARE, host: BARE, path: '/profile', as: 'anonymous' },
  { name: 'express-session 1.19, MemoryStore', host: 'express-session, MemoryStore', ...member },
  { name: 'passport 0.7 + express-session, MemoryStore', host: 'passport, MemoryStore', ...member },
  { name: REDIS, host: 'express-session, connect-redis', needs: REDIS_ALONE, ...member },
  { name: 'express-session + a plain SQLite store', host: 'express-session, SQLite', ...member },
  { name: 'iron-session 9 (sealed cookie)', host: 'iron-session', ...member, ...rare },
  { name: POSTGRES, host: 'express-session, connect-pg-simple', needs: POSTGRES_ALONE, ...member },
  { name: 'better-auth 1.7, cookie cache on', host: 'better-auth, cookie cache', ...member },
  { name: 'better-auth 1.7, SQLite', host: 'better-auth, SQLite', ...member },
  { name: '`guildhall/session`, memory store, signed', host: 'guildhall/session, memory, signed', ...member, goal: 1.25 },
  { name: '`guildhall/session`, SQLite store', host: 'guildhall/session, SQLite', ...member, goal: 1.25 },
  {
    name: '`guildhall/session`, SQLite, anonymous',
    host: 'guildhall/session, SQLite',
    path: '/bare',
    as: 'anonymous',
    goal: 1.05,
    ...rare,
  },
  {
    name: '`guildhall/session`, Redis store',
    host: 'guildhall/session, Redis',
    needs: REDIS_ALONE,
    ...member,
    against: { name: REDIS, most: 1 },
  },
  {
    name: '`guildhall/session`, PostgreSQL store',
    host: 'guildhall/session, PostgreSQL',
    needs: POSTGRES_ALONE,
    ...member,
    against: { name: POSTGRES, most: 0.5 },
  },
  {
    name: '`guildhall/session`, through connect-redis',
    host: 'guildhall/session, connect-redis',
    needs: REDIS_ALONE,
    ...member,
    against: { name: REDIS, most: 1 },
  },
  {
    name: '`guildhall/session`, through connect-pg-simple',
    host: 'guildhall/session, connect-pg-simple',
    needs: POSTGRES_ALONE,
    ...member,
    against: { name: POSTGRES, most: 0.5 },
  },
  { name: 'library, anonymous', host: LIBRARY, path: '/bare', as: 'anonymous', goal: 1.05, ...rare },
  { name: 'library, own route behind `requireLogin`', host: LIBRARY, ...diary },
  {
    name: 'library, `requireLogin`, PostgreSQL',
    host: `${LIBRARY}, PostgreSQL`,
    needs: POSTGRES_ALONE,
    ...diary,
    against: { name: POSTGRES, most: 0.5 },
  },
  { name: 'library, `requireLogin`, PostgreSQL and Redis', host: `${LIBRARY}, PostgreSQL and Redis`, needs: BOTH, ...diary },
  { name: 'whole server, `GET /api/profile`', host: SERVER, ...profile, goal: 1.6 },
  {
    name: 'whole server, `GET /api/profile`, PostgreSQL',
    host: `${SERVER}, PostgreSQL`,
    needs: POSTGRES_ALONE,
    ...profile,
    against: { name: POSTGRES, most: 0.5 },
  },
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
