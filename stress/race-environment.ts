// One process of a race: the application with the middleware and the store that it was told, stops inside.
import { createRequire } from 'node:module'
import type { RequestHandler } from 'express'
import { Pool } from 'pg'
import { createClient } from 'redis'
import { fromExpressStore, MemoryStore, session } from '../src/session/index.ts'
import type { SessionStore } from '../src/session/store.ts'
import { PostgresStore } from '../src/session/stores/postgres.ts'
import { RedisStore } from '../src/session/stores/redis.ts'
import { SqliteStore } from '../src/session/stores/sqlite.ts'
import { expressSession } from '../test/support/express-session.ts'
import { REDIS_URL } from '../test/support/redis-server.ts'
import { type StoppableStore, Stops, stopsIn, stopsInExpressStore } from './barriers.ts'
import { listen, raceApp } from './race-app.ts'
import { fileOf, type Place } from './storage-targets.ts'

const SECRET = 'a secret for races'

export type StoreChoice =
  | { readonly kind: 'memory' }
  /** The store of ours for that place. */
  | { readonly kind: 'ours'; readonly place: Place }
  | { readonly kind: 'connect-redis'; readonly prefix: string }
  | { readonly kind: 'connect-pg-simple'; readonly database: string }

export interface HouseChoice {
  readonly middleware: 'guildhall' | 'express-session'
  readonly store: StoreChoice
  /** For a store of express-session under ours: whether a save stops between the read and the write that it is made of. */
  readonly stopsInside?: boolean
}

export interface RaceHouse {
  readonly base: string
  readonly store: SessionStore | undefined
  close(): Promise<void>
}

type ExpressStore = Parameters<typeof fromExpressStore>[0] & StoppableStore
type MakeStore = new (options: Readonly<Record<string, unknown>>) => ExpressStore

// Their types are those of another `req.session`.
const require = createRequire(import.meta.url)

export async function openRaceHouse({ middleware, store, stopsInside = false }: HouseChoice): Promise<RaceHouse> {
  const stops = new Stops()
  if (store.kind === 'memory' && middleware === 'guildhall') return ownHouse(new MemoryStore({ clock: stops.clock }), stops)
  if (store.kind === 'ours') return openOwn(store.place, stops)
  const { foreign, disconnect } = await openForeign(store)
  if (middleware === 'guildhall') {
    const adopted = fromExpressStore(foreign, { ids: 'plain' })
    if (stopsInside) stopsInExpressStore(foreign, stops)
    return ownHouse(adopted, stops, { stopsInside, disconnect })
  }
  stopsInExpressStore(foreign, stops)
  const handle = expressSession({ store: foreign, secret: SECRET, resave: false, saveUninitialized: false })
  const { base, close } = await listen(raceApp(handle, stops))
  return { base, store: undefined, close: () => close().then(disconnect) }
}

/** The middleware of ours over any store; its time is the one that requests bring. */
export async function ownHouse(
  store: SessionStore,
  stops = new Stops(),
  { stopsInside = false, disconnect = async () => {} }: { stopsInside?: boolean; disconnect?: () => Promise<void> } = {},
): Promise<RaceHouse> {
  const touches = countTouches(store)
  if (!stopsInside) stopsIn(store, stops)
  const sessions = session({ store, clock: stops.clock, secret: SECRET, idleTimeout: '15m' })
  const app = raceApp(sessions as RequestHandler, stops)
  app.get('/touches', (_req, res) => void res.json(touches.count))
  const { base, close } = await listen(app)
  return {
    base,
    store,
    async close() {
      await close()
      await sessions.close()
      await store.close()
      await disconnect()
    },
  }
}

async function openOwn(place: Place, stops: Stops): Promise<RaceHouse> {
  if (place.redis) {
    const client = createClient({ url: place.redis.url, disableOfflineQueue: true })
    client.on('error', () => {})
    await client.connect()
    return ownHouse(new RedisStore({ client, prefix: place.redis.prefix }), stops, { disconnect: () => client.close() })
  }
  if (place.database.startsWith('sqlite:')) return ownHouse(new SqliteStore({ path: fileOf(place) }), stops)
  const pool = new Pool({ connectionString: place.database, max: 10 })
  pool.on('error', () => {})
  const store = new PostgresStore({ pool })
  await store.migrate()
  return ownHouse(store, stops, { disconnect: () => pool.end() })
}

async function openForeign(
  store: Exclude<StoreChoice, { kind: 'ours' }>,
): Promise<{ foreign: ExpressStore; disconnect(): Promise<void> }> {
  if (store.kind === 'memory') {
    const foreign: object = new expressSession.MemoryStore()
    return { foreign: foreign as ExpressStore, disconnect: async () => {} }
  }
  if (store.kind === 'connect-redis') {
    const { RedisStore }: { RedisStore: MakeStore } = require('connect-redis')
    const client = await createClient({ url: REDIS_URL }).connect()
    return { foreign: new RedisStore({ client, prefix: store.prefix }), disconnect: async () => client.destroy() }
  }
  const makePgStore: (session: typeof expressSession) => MakeStore = require('connect-pg-simple')
  const pool = new Pool({ connectionString: store.database, max: 5 })
  const PgStore = makePgStore(expressSession)
  const foreign = new PgStore({ pool, tableName: 'session', pruneSessionInterval: false })
  return { foreign, disconnect: () => pool.end() }
}

/** Counts the writes by which sessions are marked as seen. */
function countTouches(store: SessionStore): { count: number } {
  const touches = { count: 0 }
  const touch = store.touch.bind(store)
  store.touch = (hash, seen) => {
    touches.count++
    return touch(hash, seen)
  }
  return touches
}
