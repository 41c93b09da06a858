// Redis and PostgreSQL, where they are: a prefix and a database of the benchmark's own, empty at the start and gone at the end.
import { importPeer } from './peers.ts'

const REDIS_URL = process.env.BENCH_REDIS_URL ?? 'redis://127.0.0.1:6379'
const POSTGRES_URL = process.env.BENCH_POSTGRES_URL ?? 'postgres://postgres@127.0.0.1:5432/postgres'
const DATABASE = 'guildhall_bench'
export const REDIS_PREFIX = 'guildhall-bench:'

export type Need = 'Redis' | 'PostgreSQL'

export interface External {
  /** What is there, with the address that the contestants use. */
  readonly urls: ReadonlyMap<Need, string>
  /** What is not there, in a sentence. */
  readonly missing: ReadonlyMap<Need, string>
  close(): Promise<void>
}

export async function openExternal(): Promise<External> {
  const urls = new Map<Need, string>()
  const missing = new Map<Need, string>()
  const attempt = async (need: Need, url: string, empty: () => Promise<string>) => {
    try {
      urls.set(need, await empty())
    } catch (error) {
      missing.set(
        need,
        `no ${need} answers at ${hostOf(url)} (${error instanceof Error ? error.message || error.name : String(error)})`,
      )
    }
  }
  await attempt('Redis', REDIS_URL, emptyRedis)
  await attempt('PostgreSQL', POSTGRES_URL, createDatabase)
  return {
    urls,
    missing,
    async close() {
      if (urls.has('Redis')) await emptyRedis()
      if (urls.has('PostgreSQL')) await inPostgres([`DROP DATABASE IF EXISTS ${DATABASE} WITH (FORCE)`])
    },
  }
}

interface RedisClient {
  on(event: 'error', listener: () => void): void
  connect(): Promise<unknown>
  scanIterator(options: { readonly MATCH: string }): AsyncIterable<string[]>
  unlink(keys: string[]): Promise<number>
  close(): Promise<void>
}

interface Redis {
  createClient(options: object): RedisClient
}

/** Ends what an earlier run may have left, too. */
async function emptyRedis(): Promise<string> {
  const { createClient } = await importPeer<Redis>('redis')
  const client = createClient({ url: REDIS_URL, socket: { reconnectStrategy: false, connectTimeout: 2000 } })
  client.on('error', () => {})
  await client.connect()
  for await (const keys of client.scanIterator({ MATCH: `${REDIS_PREFIX}*` })) if (keys.length > 0) await client.unlink(keys)
  await client.close()
  return REDIS_URL
}

async function createDatabase(): Promise<string> {
  await inPostgres([`DROP DATABASE IF EXISTS ${DATABASE} WITH (FORCE)`, `CREATE DATABASE ${DATABASE}`])
  const url = new URL(POSTGRES_URL)
  url.pathname = DATABASE
  return url.href
}

interface Pg {
  readonly default: {
    readonly Client: new (
      options: object,
    ) => {
      connect(): Promise<void>
      query(sql: string): Promise<unknown>
      end(): Promise<void>
    }
  }
}

async function inPostgres(statements: readonly string[]): Promise<void> {
  const { default: pg } = await importPeer<Pg>('pg')
  const client = new pg.Client({ connectionString: POSTGRES_URL, connectionTimeoutMillis: 2000 })
  await client.connect()
  try {
    for (const statement of statements) await client.query(statement)
  } finally {
    await client.end()
  }
}

function hostOf(url: string): string {
  return new URL(url).host
}
