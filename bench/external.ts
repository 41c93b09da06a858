// Redis and PostgreSQL, where they are: a place of the benchmark's own in each, empty at the start and gone at the end.
import { hostname } from 'node:os'
import type { RedisClient as StoreClient } from '../src/database/redis/script.ts'
import { importPeer } from './peers.ts'
import { postgresCpu } from './postgres-cpu.ts'

const REDIS_URL = process.env.BENCH_REDIS_URL ?? 'redis://127.0.0.1:6379'
const POSTGRES_URL = process.env.BENCH_POSTGRES_URL ?? 'postgres://postgres@127.0.0.1:5432/postgres'
export const DATABASE = 'guildhall_bench'
export const REDIS_PREFIX = 'guildhall-bench:'
/** So many numbered databases has a Redis by default. */
const REDIS_DATABASES = 16
/** Databases of Redis that this run uses. */
const taken = new Set<number>()

export type Need = 'Redis' | 'PostgreSQL'

/** CPU microseconds that the processes of the stores have used so far. What cannot be known is left out. */
export type StoreCpu = Readonly<Partial<Record<Need, number>>>

export interface External {
  /** What is not there, in a sentence. */
  readonly missing: ReadonlyMap<Need, string>
  /** The URL of a schema of its own in PostgreSQL, for one contestant. */
  newSchema(): Promise<string>
  /** One more database of Redis. */
  anotherRedis(): Promise<RedisPlace>
  /** A database of Redis that nobody else uses. */
  readonly redis: RedisPlace | undefined
  readonly postgres: PostgresClient | undefined
  cpu(of?: readonly Need[]): Promise<StoreCpu>
  close(): Promise<void>
}

export interface RedisClient extends StoreClient {
  on(event: 'error', listener: () => void): void
  connect(): Promise<unknown>
  select(database: number): Promise<unknown>
  exists(key: string): Promise<number>
  set(key: string, value: string): Promise<unknown>
  dbSize(): Promise<number>
  flushDb(mode: 'ASYNC'): Promise<unknown>
  info(section: string): Promise<string>
  close(): Promise<void>
}

export interface RedisPlace {
  readonly url: string
  readonly client: RedisClient
}

export interface PostgresClient {
  connect(): Promise<void>
  query(sql: string, values?: readonly unknown[]): Promise<{ readonly rows: readonly Readonly<Record<string, unknown>>[] }>
  end(): Promise<void>
}

export async function openExternal(): Promise<External> {
  const missing = new Map<Need, string>()
  const attempt = async <T>(need: Need, url: string, open: () => Promise<T>): Promise<T | undefined> => {
    try {
      return await open()
    } catch (error) {
      if (error instanceof AnotherRunError) throw error
      const why = error instanceof Error ? error.message || error.name : String(error)
      missing.set(need, `no ${need} answers at ${new URL(url).host} (${why})`)
      return undefined
    }
  }
  // First, as it tells whether another run is going on, which would lose its data.
  const postgres = await attempt('PostgreSQL', POSTGRES_URL, openPostgres)
  const redis = await attempt('Redis', REDIS_URL, openRedis)
  const postgresMicros = postgres && (await postgresCpu(postgres, DATABASE))
  let schemas = 0
  const others: RedisPlace[] = []
  return {
    missing,
    redis,
    postgres,
    async newSchema() {
      if (!postgres) throw new Error('there is no PostgreSQL')
      const name = `bench_${++schemas}`
      await postgres.query(`CREATE SCHEMA ${name}`)
      return `${urlOfDatabase()}?options=${encodeURIComponent(`-c search_path=${name}`)}`
    },
    async anotherRedis() {
      const place = await openRedis()
      others.push(place)
      return place
    },
    async cpu(of = ['Redis', 'PostgreSQL']) {
      const ofRedis = of.includes('Redis') && redis ? redisMicros(await redis.client.info('cpu')) : undefined
      const ofPostgres = of.includes('PostgreSQL') ? postgresMicros?.() : undefined
      return { ...(ofRedis !== undefined && { Redis: ofRedis }), ...(ofPostgres !== undefined && { PostgreSQL: ofPostgres }) }
    },
    async close() {
      for (const { client } of redis ? [redis, ...others] : []) {
        await client.flushDb('ASYNC')
        await client.close()
      }
      await postgres?.end()
      if (postgres) await inPostgres([`DROP DATABASE IF EXISTS ${DATABASE} WITH (FORCE)`])
    },
  }
}

/** A numbered database that is empty, or that an earlier run left behind. `guildhall serve` has one prefix for its keys: it must not meet a site's. */
async function openRedis(): Promise<RedisPlace> {
  const { createClient } = await importPeer<{ createClient(options: object): RedisClient }>('redis')
  const client = createClient({ url: REDIS_URL, socket: { reconnectStrategy: false, connectTimeout: 2000 } })
  client.on('error', () => {})
  await client.connect()
  const mark = `${REDIS_PREFIX}${hostname()}`
  for (let number = REDIS_DATABASES - 1; number > 0; number--) {
    if (taken.has(number)) continue
    await client.select(number)
    if ((await client.exists(mark)) === 1) await client.flushDb('ASYNC')
    if ((await client.dbSize()) > 0) continue
    taken.add(number)
    await client.set(mark, 'of npm run bench, may be emptied')
    const url = new URL(REDIS_URL)
    url.pathname = `/${number}`
    return { url: url.href, client }
  }
  await client.close()
  throw new Error(`none of its databases 1 to ${REDIS_DATABASES - 1} is empty`)
}

class AnotherRunError extends Error {}

async function openPostgres(): Promise<PostgresClient> {
  const asking = await connect(POSTGRES_URL)
  const { rows } = await asking.query('SELECT 1 FROM pg_stat_activity WHERE datname = $1', [DATABASE])
  await asking.end()
  if (rows.length > 0)
    throw new AnotherRunError(`another run of the benchmark uses the database ${DATABASE}: wait until it has ended`)
  await inPostgres([`DROP DATABASE IF EXISTS ${DATABASE} WITH (FORCE)`, `CREATE DATABASE ${DATABASE}`])
  return connect(urlOfDatabase())
}

function urlOfDatabase(): string {
  const url = new URL(POSTGRES_URL)
  url.pathname = DATABASE
  return url.href
}

async function inPostgres(statements: readonly string[]): Promise<void> {
  const client = await connect(POSTGRES_URL)
  try {
    for (const statement of statements) await client.query(statement)
  } finally {
    await client.end()
  }
}

async function connect(connectionString: string): Promise<PostgresClient> {
  const { default: pg } = await importPeer<{ default: { Client: new (options: object) => PostgresClient } }>('pg')
  const client = new pg.Client({ connectionString, connectionTimeoutMillis: 2000 })
  await client.connect()
  return client
}

function redisMicros(info: string): number | undefined {
  const seconds = (what: string) => Number(new RegExp(`^used_cpu_${what}:([\\d.]+)`, 'm').exec(info)?.[1])
  const micros = (seconds('sys') + seconds('user')) * 1_000_000
  return Number.isNaN(micros) ? undefined : micros
}
