// Where the servers of a proof keep what they know: a file, a server of databases, one beside Redis. Made empty, taken away afterwards.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Kept, KeptInRedis } from '../test/support/database-inspector.ts'
import { makeDatabase, postgresAnswers } from '../test/support/postgres-server.ts'
import { borrowNumbered, redisAnswers } from '../test/support/redis-server.ts'
import type { Fact } from './result.ts'

const PLACES = ['SQLite', 'PostgreSQL', 'PostgreSQL and Redis'] as const

export type PlaceName = (typeof PLACES)[number]

export interface Place extends Kept {
  readonly name: PlaceName
  /** Of its own, taken away afterwards. */
  readonly folder: string
  readonly redis: KeptInRedis | undefined
}

/** What a server's keys in Redis begin with. */
const PREFIX = 'guildhall:'

/** The places there are on this machine. With REQUIRE_ALL=1 there are all, or what needs them fails. */
export async function placesHere(): Promise<readonly PlaceName[]> {
  if (process.env.REQUIRE_ALL === '1') return PLACES
  const postgres = await postgresAnswers()
  const redis = postgres && (await redisAnswers())
  return PLACES.filter((name) => name === 'SQLite' || (name === 'PostgreSQL' ? postgres : redis))
}

export async function withPlace<T>(name: PlaceName, work: (place: Place) => Promise<T>): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), 'guildhall-proof-'))
  const postgres = name === 'SQLite' ? undefined : await makeDatabase()
  const redis = name === 'PostgreSQL and Redis' ? await borrowNumbered() : undefined
  const database = postgres?.url ?? `sqlite:${join(folder, 'members.db')}`
  try {
    return await work({ name, folder, database, redis: redis && { url: redis.url, prefix: PREFIX } })
  } finally {
    await redis?.giveBack()
    await postgres?.drop()
    rmSync(folder, { recursive: true, force: true })
  }
}

/** The same on every place there is, one after the other; every fact says where it was counted. */
export async function onEveryPlace(prove: (place: Place) => Promise<readonly Fact[]>): Promise<readonly Fact[]> {
  const facts: Fact[] = []
  for (const name of await placesHere()) {
    const here = await withPlace(name, prove)
    facts.push(...here.map((fact) => ({ ...fact, what: `${name}: ${fact.what}` })))
  }
  return facts
}

/** The same on the place that has most to it. */
export async function onLastPlace(prove: (place: Place) => Promise<readonly Fact[]>): Promise<readonly Fact[]> {
  const last = (await placesHere()).at(-1)
  return last === undefined ? [] : withPlace(last, prove)
}

export function fileOf({ database }: Place): string {
  if (!database.startsWith('sqlite:')) throw new TypeError(`this is no file: ${database}`)
  return database.slice('sqlite:'.length)
}
