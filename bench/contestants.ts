// Who takes part in the reads: one JSON route that needs a login, behind each of them, and our own in several forms.
import type { Need } from './external.ts'

export interface Contestant {
  readonly name: string
  /** The application of bench/apps/, or the whole server. Contestants of one host share its process. */
  readonly host: string
  readonly path: string
  readonly as: 'member' | 'anonymous'
  readonly headers?: Readonly<Record<string, string>>
  /** A server that has to be there. */
  readonly needs?: Need
  /** At most so many times bare Express. */
  readonly goal?: number
  /** At most so many times another contestant. */
  readonly against?: { readonly name: string; readonly most: number }
  /** Left out of the README's table. */
  readonly onlyInDocs?: boolean
}

export const BARE = 'bare Express'
export const SERVER = 'whole server'
export const LIBRARY = 'guildhall as a library'

const REDIS = 'express-session + connect-redis 10'
const POSTGRES = 'express-session + connect-pg-simple 10'
const member = { path: '/profile', as: 'member' } as const
const rare = { onlyInDocs: true } as const

export const contestants: readonly Contestant[] = [
  { name: 'node:http, no framework', host: 'node:http', path: '/profile', as: 'anonymous', ...rare },
  { name: BARE, host: BARE, path: '/profile', as: 'anonymous' },
  { name: 'express-session 1.19, MemoryStore', host: 'express-session, MemoryStore', ...member },
  { name: 'passport 0.7 + express-session, MemoryStore', host: 'passport, MemoryStore', ...member },
  { name: REDIS, host: 'express-session, connect-redis', needs: 'Redis', ...member },
  { name: 'express-session + a plain SQLite store', host: 'express-session, SQLite', ...member },
  { name: 'iron-session 9 (sealed cookie)', host: 'iron-session', ...member, ...rare },
  { name: POSTGRES, host: 'express-session, connect-pg-simple', needs: 'PostgreSQL', ...member },
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
    name: '`guildhall/session`, through connect-redis',
    host: 'guildhall/session, connect-redis',
    needs: 'Redis',
    ...member,
    against: { name: REDIS, most: 1 },
  },
  {
    name: '`guildhall/session`, through connect-pg-simple',
    host: 'guildhall/session, connect-pg-simple',
    needs: 'PostgreSQL',
    ...member,
    against: { name: POSTGRES, most: 0.5 },
  },
  { name: 'library, anonymous', host: LIBRARY, path: '/bare', as: 'anonymous', goal: 1.05, ...rare },
  { name: 'library, own route behind `requireLogin`', host: LIBRARY, path: '/diary', as: 'member' },
  { name: 'whole server, `GET /api/profile`', host: SERVER, path: '/api/profile', as: 'member', goal: 1.6 },
  {
    name: 'whole server, `GET /profile` as HTML',
    host: SERVER,
    path: '/profile',
    as: 'member',
    headers: { Accept: 'text/html' },
    goal: 2.5,
  },
]
