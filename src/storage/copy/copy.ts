// Makes one database the copy of another, at one moment of it. What is there already stays; so it goes on where it was killed.
import { existsSync, statSync } from 'node:fs'
import { OtherSchema, SCHEMA_VERSION } from '../migrations.ts'
import { openDatabase } from '../open.ts'
import type { CopiedTable, Progress } from './copied.ts'
import { type Mark, readMark, writeMark } from './mark.ts'
import { type Filled, fill, prune, sumOf } from './passes.ts'
import { openPostgresSource, openPostgresTarget } from './postgres-side.ts'
import type { RedisSide } from './redis-side.ts'
import { CopyRefused } from './refused.ts'
import type { Row, Side, Table, Target } from './side.ts'
import { openSqliteSource, openSqliteTarget } from './sqlite-side.ts'

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
  const { sourceName, redisName, redis, tell } = copying
  const tables = await target.tables()
  await judge(target, tables, copying)
  const mark = { source: sourceName, redis: redisName }
  await target.writeMark(writeMark({ ...mark, done: undefined }))
  const keptHere = redis ? tables.filter(({ name }) => name !== 'sessions') : tables
  const removed = new Map<Table, number>()
  // Children first: what hangs on a row that is taken out goes with it, and is written again with the rest.
  for (const table of tables.toReversed()) {
    const wanted = keptHere.includes(table) ? source.batches(table) : nothing()
    removed.set(table, await prune(wanted, target, table))
  }
  const filled = new Map<Table, Filled>()
  for (const table of keptHere) {
    const of = await source.count(table.name)
    filled.set(table, await fill(source, target, table, (rows) => tell({ table: table.name, step: 'copy', rows, of })))
  }
  const copied: CopiedTable[] = []
  const done: Record<string, string> = {}
  for (const [table, { sum, added }] of filled) {
    const of = sum.rows
    const there = await sumOf(target, table, (rows) => tell({ table: table.name, step: 'check', rows, of }))
    const same = sum.rows === there.rows && sum.digest === there.digest
    const counts = { source: of, target: there.rows, added, removed: removed.get(table) ?? 0 }
    copied.push({ table: table.name, same, ...counts })
    done[table.name] = there.digest
  }
  if (redis) copied.push(await redis.copySessions(source, tell))
  if (copied.every(({ same }) => same)) await target.writeMark(writeMark({ ...mark, done }))
  return copied
}

/** Whether this copy may go there. Before anything is written. */
async function judge(target: Target, tables: readonly Table[], copying: Copying): Promise<void> {
  const { sourceName, redisName, redis, mayReplace } = copying
  const text = await target.readMark()
  const mark = text === undefined ? undefined : readMark(text)
  if (mark?.redis !== undefined && mark.redis !== redisName) throw new CopyRefused('other_redis', { redis: mark.redis })
  if (redis && mark?.redis === undefined && (await redis.hasSessions())) throw new CopyRefused('redis')
  const isEmpty = await hasNoRows(target, tables)
  if (!isEmpty && mark === undefined) throw new CopyRefused('foreign')
  if (!isEmpty && mark !== undefined && mark.source !== sourceName) throw new CopyRefused('other_source', { source: mark.source })
  if (!isEmpty && (await wasUsed(target, tables, mark))) await mayReplace()
  await target.forgetServing()
}

async function hasNoRows(target: Target, tables: readonly Table[]): Promise<boolean> {
  for (const { name } of tables) if ((await target.count(name)) > 0) return false
  return true
}

/** Whether anybody but a copy has written there. Nobody can tell of a copy that was killed, but that a site swept there. */
async function wasUsed(target: Target, tables: readonly Table[], mark: Mark | undefined): Promise<boolean> {
  if (await target.wasServed()) return true
  for (const table of tables) {
    const expected = mark?.done?.[table.name]
    if (expected !== undefined && (await sumOf(target, table)).digest !== expected) return true
  }
  return false
}

async function openSource(from: string): Promise<Side> {
  const file = fileOf(from)
  const source = file === undefined ? await openPostgresSource(from) : openSqliteSource(file)
  const version = await source.version()
  if (version === SCHEMA_VERSION) return source
  await source.close()
  throw new OtherSchema(version)
}

/** Made where there is none; brought up to date where it is empty, and nowhere else. */
async function openTarget(to: string): Promise<Target> {
  const file = fileOf(to)
  if (file !== undefined && !existsSync(file)) await migrate(to)
  const open = () => (file === undefined ? openPostgresTarget(to) : openSqliteTarget(file))
  const target = await open()
  const version = await target.version()
  if (version === SCHEMA_VERSION) return target
  const tables = await target.tables()
  await target.close()
  if (version !== 0) throw new OtherSchema(version)
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

async function* nothing(): AsyncGenerator<readonly Row[]> {}
