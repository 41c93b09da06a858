// connect-redis and connect-pg-simple, each over a client of its own. express-session and guildhall/session both use them.
import type { ExpressStore } from '../../src/session/index.ts'
import { REDIS_PREFIX } from '../external.ts'
import { importPeer } from '../peers.ts'

export async function newRedisStore(): Promise<ExpressStore> {
  const { createClient } = await importPeer<{ createClient: (options: object) => { connect(): Promise<unknown> } }>('redis')
  const { RedisStore } = await importPeer<{ RedisStore: new (options: object) => ExpressStore }>('connect-redis')
  const client = createClient({ url: process.env.BENCH_REDIS })
  await client.connect()
  return new RedisStore({ client, prefix: REDIS_PREFIX })
}

export async function newPostgresStore(): Promise<ExpressStore> {
  const { default: pg } = await importPeer<{ default: { Pool: new (options: object) => object } }>('pg')
  const { default: expressSession } = await importPeer<{ default: unknown }>('express-session')
  const { default: connect } = await importPeer<{ default: (session: unknown) => new (options: object) => ExpressStore }>(
    'connect-pg-simple',
  )
  const pool = new pg.Pool({ connectionString: process.env.BENCH_POSTGRES })
  return new (connect(expressSession))({ pool, createTableIfMissing: true, pruneSessionInterval: false })
}
