// Makes one database the copy of another, at one moment of it. What is there already stays; so it goes on where it was killed.
import { chmodSync, existsSync, statSync } from 'node:fs'
import { openDatabase } from '../open.ts'
import { OtherSchemaError, SCHEMA_VERSION } from '../schema-state.ts'
import type { CopiedTable, Progress } from './copied.ts'
import { type Mark, readMark, writeMark } from './mark.ts'
import type { Differences } from './passes.ts'
import { openPostgresSource, openPostgresTarget } from './postgres-side.ts'
import type { RedisSide } from './redis-side.ts'
import { CopyRefused } from './refused.ts'
import type { Side, Table, Target } from './side.ts'
import { openSqliteSource, openSqliteTarget } from './sqlite-side.ts'
import { Work } from './work.ts'

export interface Copying {
  /** `sqlite:PATH` or `postgres://...` */
  readonly from: string
  readonly to: string
  /** What names the source in the target's mark, and Redis: no passwords. */
  readonly sourceName: string
  readonly redisName?: string | undefined
  /** Where the sessions go instead of the target. */
  readonly redis?: RedisSide | undefined
  /** Asked where the target was used since the last copy; throws where it must stay as it is. */
  readonly mayReplace: () => Promise<void>
  readonly tell: (progress: Progress) => void
}

/** The error of one side at its opening: which database it is about. */
export class SideFailed extends Error {
  override readonly name = 'SideFailed'
  readonly side: 'from' | 'to'

  constructor(side: 'from' | 'to', cause: unknown) {
    super(`the database ${side} which is copied failed`, { cause })
    this.side = side
  }
}

/** Throws CopyRefused where the target has something that no copy of this source brought. Nothing was changed then. */
export async function copyDatabase(copying: Copying): Promise<readonly CopiedTable[]> {
  const { from, to } = copying
  refuseSameFile(from, to)
  const source = await onSide('from', () => openSource(from))
  try {
    const target = await onSide('to', () => openTarget(to))
    try {
      return await copyTables(source, target, copying)
    } finally {
      await target.close()
    }
  } finally {
    await source.close()
  }
}

async function copyTables(source: Side, target: Target, copying: Copying): Promise<readonly CopiedTable[]> {
  const { sourceName, redisName, redis, mayReplace, tell } = copying
  const tables = await target.tables()
  const before = await judge(target, tables, copying)
  const work = new Work(source, target, tables, { sessionsElsewhere: redis !== undefined, tell })
  const differences = before?.done && (await work.survey())
  const isChanged = ([table, { target: there }]: [Table, Differences]) => there.digest !== before?.done?.[table.name]
  const wasUsed = (await target.wasServed()) || [...(differences ?? [])].some(isChanged)
  if (wasUsed && before !== undefined) await mayReplace()
  const mark = { source: sourceName, redis: redisName }
  await target.writeMark(writeMark({ ...mark, done: undefined }))
  await target.forgetServing()
  const isMended = differences !== undefined && (await work.mend(differences))
  if (!isMended) await work.copyAll()
  const { copied, done } = await work.check(isMended ? differences : new Map())
  const sessions = redis && (await redis.copySessions(source, tell))
  const all = sessions ? [...copied.filter(({ table }) => table !== sessions.table), sessions] : copied
  if (all.every(({ same }) => same)) await target.writeMark(writeMark({ ...mark, done }))
  return all
}

/** What the last copy left there; undefined where there is nothing. Throws where this one may not go there. */
async function judge(
  target: Target,
  tables: readonly Table[],
  { sourceName, redisName, redis }: Copying,
): Promise<Mark | undefined> {
  const text = await target.readMark()
  const mark = text === undefined ? undefined : readMark(text)
  if (mark?.redis !== undefined && mark.redis !== redisName) throw new CopyRefused('other_redis', { redis: mark.redis })
  if (redis && mark?.redis === undefined && (await redis.hasSessions())) throw new CopyRefused('redis')
  if (await hasNoRows(target, tables)) return undefined
  if (mark === undefined) throw new CopyRefused('foreign')
  if (mark.source !== sourceName) throw new CopyRefused('other_source', { source: mark.source })
  return mark
}

async function hasNoRows(target: Target, tables: readonly Table[]): Promise<boolean> {
  for (const { name } of tables) if ((await target.count(name)) > 0) return false
  return true
}

async function openSource(from: string): Promise<Side> {
  const file = fileOf(from)
  const source = file === undefined ? await openPostgresSource(from) : openSqliteSource(file)
  const version = await source.version()
  if (version === SCHEMA_VERSION) return source
  await source.close()
  throw new OtherSchemaError(version < SCHEMA_VERSION ? 'schema_older' : 'schema_newer', { version })
}

/** Made where there is none; brought up to date where it is empty, and nowhere else. */
async function openTarget(to: string): Promise<Target> {
  const file = fileOf(to)
  // What is going to be in it is for its owner alone, whoever made the file.
  if (file !== undefined && existsSync(file)) chmodSync(file, 0o600)
  if (file !== undefined && !existsSync(file)) await migrate(to)
  const open = () => (file === undefined ? openPostgresTarget(to) : openSqliteTarget(file))
  const target = await open()
  const version = await target.version()
  if (version === SCHEMA_VERSION) return target
  const tables = await target.tables()
  await target.close()
  if (version !== 0) throw new OtherSchemaError(version < SCHEMA_VERSION ? 'schema_older' : 'schema_newer', { version })
  if (tables.some(({ columns }) => columns.length > 0)) throw new CopyRefused('foreign')
  await migrate(to)
  return open()
}

async function migrate(database: string): Promise<void> {
  const db = openDatabase(database)
  try {
    await db.migrate()
  } finally {
    await db.close()
  }
}

function refuseSameFile(from: string, to: string): void {
  const [one, other] = [fileOf(from), fileOf(to)]
  if (one === undefined || other === undefined || !existsSync(one) || !existsSync(other)) return
  const [a, b] = [statSync(one, { bigint: true }), statSync(other, { bigint: true })]
  if (a.dev === b.dev && a.ino === b.ino) throw new CopyRefused('busy')
}

function fileOf(database: string): string | undefined {
  return database.startsWith('sqlite:') ? database.slice('sqlite:'.length) : undefined
}

async function onSide<T>(side: 'from' | 'to', work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    throw error instanceof CopyRefused ? error : new SideFailed(side, error)
  }
}
