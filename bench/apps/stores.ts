// The stores that live in Redis and PostgreSQL: connect-redis, connect-pg-simple and our own, each over a client or a pool that is made alike.
import type { ExpressStore } from '../../src/session/index.ts'
import { PostgresStore } from '../../src/session/stores/postgres.ts'
import { RedisStore } from '../../src/session/stores/redis.ts'
import { REDIS_PREFIX } from '../external.ts'
import { importPeer } from '../peers.ts'

type Client = ConstructorParameters<typeof RedisStore>[0]['client'] & { connect(): Promise<unknown> }
type Pool = ConstructorParameters<typeof PostgresStore>[0]['pool']

export async function connectRedis(): Promise<ExpressStore> {
  const { RedisStore: ConnectRedis } = await importPeer<{ RedisStore: new (options: object) => ExpressStore }>('connect-redis')
  return new ConnectRedis({ client: await newClient(), prefix: REDIS_PREFIX })
}

export async function ownRedis(): Promise<RedisStore> {
  return new RedisStore({ client: await newClient({ disableOfflineQueue: true }), prefix: `${REDIS_PREFIX}own:` })
}

export async function connectPgSimple(): Promise<ExpressStore> {
  const { default: expressSession } = await importPeer<{ default: unknown }>('express-session')
  const { default: connect } = await importPeer<{ default: (session: unknown) => new (options: object) => ExpressStore }>(
    'connect-pg-simple',
  )
  return new (connect(expressSession))({ pool: await newPool(), createTableIfMissing: true, pruneSessionInterval: false })
}

export async function ownPostgres(): Promise<PostgresStore> {
  const store = new PostgresStore({ pool: await newPool() })
  await store.migrate()
  return store
}

async function newClient(advised: object = {}): Promise<Client> {
  const { createClient } = await importPeer<{ createClient: (options: object) => Client }>('redis')
  const client = createClient({ url: process.env.BENCH_REDIS, ...advised })
  await client.connect()
  return client
}

async function newPool(): Promise<Pool> {
  const { default: pg } = await importPeer<{ default: { Pool: new (options: object) => Pool } }>('pg')
  return new pg.Pool({ connectionString: process.env.BENCH_POSTGRES })
}
