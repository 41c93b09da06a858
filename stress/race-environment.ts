// One process of a race: the application with the middleware and the store of its arguments, with barriers.
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
import { addBarriers, addBarriersToExpressStore, Barriers, type StoreWithBarriers } from './barriers.ts'
import { listen, raceApp } from './race-app.ts'
import { fileOf, type StorageTarget } from './storage-targets.ts'

const SECRET = 'a secret for races'

export type StoreChoice =
  | { readonly kind: 'memory' }
  /** The store of ours for that target. */
  | { readonly kind: 'ours'; readonly target: StorageTarget }
  | { readonly kind: 'connect-redis'; readonly prefix: string }
  | { readonly kind: 'connect-pg-simple'; readonly database: string }

export interface RaceChoice {
  readonly middleware: 'guildhall' | 'express-session'
  readonly store: StoreChoice
  /** For a store of express-session under ours: whether a save waits between the read and the write that it is made of. */
  readonly barriersInside?: boolean
}

export interface RaceServer {
  readonly base: string
  readonly store: SessionStore | undefined
  close(): Promise<void>
}

type ExpressStore = Parameters<typeof fromExpressStore>[0] & StoreWithBarriers
type MakeStore = new (options: Readonly<Record<string, unknown>>) => ExpressStore

// Their types are those of another `req.session`.
const require = createRequire(import.meta.url)

export async function openRaceServer({ middleware, store, barriersInside = false }: RaceChoice): Promise<RaceServer> {
  const barriers = new Barriers()
  if (store.kind === 'memory' && middleware === 'guildhall')
    return raceServerOn(new MemoryStore({ clock: barriers.clock }), barriers)
  if (store.kind === 'ours') return openOwn(store.target, barriers)
  const { foreign, disconnect } = await openForeign(store)
  if (middleware === 'guildhall') {
    const adopted = fromExpressStore(foreign, { ids: 'plain' })
    if (barriersInside) addBarriersToExpressStore(foreign, barriers)
    return raceServerOn(adopted, barriers, { barriersInside, disconnect })
  }
  addBarriersToExpressStore(foreign, barriers)
  const handle = expressSession({ store: foreign, secret: SECRET, resave: false, saveUninitialized: false })
  const { base, close } = await listen(raceApp(handle, barriers))
  return { base, store: undefined, close: () => close().then(disconnect) }
}

/** The middleware of ours over any store; its time is the one that requests bring. */
export async function raceServerOn(
  store: SessionStore,
  barriers = new Barriers(),
  { barriersInside = false, disconnect = async () => {} }: { barriersInside?: boolean; disconnect?: () => Promise<void> } = {},
): Promise<RaceServer> {
  const touches = countTouches(store)
  if (!barriersInside) addBarriers(store, barriers)
  const sessions = session({ store, clock: barriers.clock, secret: SECRET, idleTimeout: '15m' })
  const app = raceApp(sessions as RequestHandler, barriers)
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

async function openOwn(target: StorageTarget, barriers: Barriers): Promise<RaceServer> {
  if (target.redis) {
    const client = createClient({ url: target.redis.url, disableOfflineQueue: true })
    client.on('error', () => {})
    await client.connect()
    return raceServerOn(new RedisStore({ client, prefix: target.redis.prefix }), barriers, { disconnect: () => client.close() })
  }
  if (target.database.startsWith('sqlite:')) return raceServerOn(new SqliteStore({ path: fileOf(target) }), barriers)
  const pool = new Pool({ connectionString: target.database, max: 10 })
  pool.on('error', () => {})
  const store = new PostgresStore({ pool })
  await store.migrate()
  return raceServerOn(store, barriers, { disconnect: () => pool.end() })
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
