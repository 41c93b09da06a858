// The storage of a run: SQLite, PostgreSQL, or one with Redis. Made empty, removed afterwards.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Kept, KeptInRedis } from '../test/support/database-inspector.ts'
import { makeDatabase, postgresAnswers } from '../test/support/postgres-server.ts'
import { borrowNumbered, redisAnswers } from '../test/support/redis-server.ts'
import type { Fact } from './result.ts'

const TARGETS = ['SQLite', 'PostgreSQL', 'PostgreSQL and Redis'] as const

export type TargetName = (typeof TARGETS)[number]

export interface StorageTarget extends Kept {
  readonly name: TargetName
  /** Of its own, taken away afterwards. */
  readonly folder: string
  readonly redis: KeptInRedis | undefined
}

/** What a server's keys in Redis begin with. */
const PREFIX = 'guildhall:'

/** The targets there are on this machine. With REQUIRE_ALL=1 there are all, or what needs them fails. */
export async function availableTargets(): Promise<readonly TargetName[]> {
  if (process.env.REQUIRE_ALL === '1') return TARGETS
  const postgres = await postgresAnswers()
  const redis = postgres && (await redisAnswers())
  return TARGETS.filter((name) => name === 'SQLite' || (name === 'PostgreSQL' ? postgres : redis))
}

export async function withTarget<T>(name: TargetName, work: (target: StorageTarget) => Promise<T>): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), 'guildhall-stress-'))
  const postgres = name === 'SQLite' ? undefined : await makeDatabase()
  const redis = name === 'PostgreSQL and Redis' ? await borrowNumbered() : undefined
  const database = postgres?.url ?? `sqlite:${join(folder, 'members.db')}`
  try {
    return await work({ name, folder, database, redis: redis && { url: redis.url, prefix: PREFIX } })
  } finally {
    await redis?.release()
    await postgres?.drop()
    rmSync(folder, { recursive: true, force: true })
  }
}

/** The same on every target there is, one after the other; every fact names its target. */
export async function onEveryTarget(measure: (target: StorageTarget) => Promise<readonly Fact[]>): Promise<readonly Fact[]> {
  const facts: Fact[] = []
  for (const name of await availableTargets()) {
    const here = await withTarget(name, measure)
    facts.push(...here.map((fact) => ({ ...fact, what: `${name}: ${fact.what}` })))
  }
  return facts
}

/** The same on the target that has most to it. */
export async function onLastTarget(measure: (target: StorageTarget) => Promise<readonly Fact[]>): Promise<readonly Fact[]> {
  const last = (await availableTargets()).at(-1)
  return last === undefined ? [] : withTarget(last, measure)
}

export function fileOf({ database }: StorageTarget): string {
  if (!database.startsWith('sqlite:')) throw new TypeError(`this is no file: ${database}`)
  return database.slice('sqlite:'.length)
}
