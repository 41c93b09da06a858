// Copies a database into an empty one, table after table. A stopped run can be gone on with.
import { chmodSync, existsSync } from 'node:fs'
import { SIDECARS } from '../../database/sqlite/connection.ts'
import { readDatabaseUrl } from '../../domain/database-url.ts'
import type { Database } from '../contract.ts'
import { openDatabase } from '../open.ts'
import { TABLE_KEYS, type TableName } from '../schema.ts'
import { OtherSchemaError } from '../schema-state.ts'
import { isSameFile } from '../sqlite/atomic-file.ts'
import { openSqlite } from '../sqlite/database.ts'
import { openPostgresSource, openPostgresTarget } from './postgres-side.ts'
import type { RedisTarget } from './redis-target.ts'
import { type CopiedTable, CopyRefusedError, CopySideError, REDIS_SESSIONS, type Row, type Side, TABLE_NAMES } from './side.ts'
import { openSqliteReadOnly, openSqliteSource, openSqliteTarget } from './sqlite-side.ts'

export interface Progress {
  readonly table: CopiedTable['table']
  readonly rows: number
  /** How many there are in the source. */
  readonly of: number
}

export interface CopyOptions {
  /** `sqlite:PATH` or `postgres://...` */
  readonly from: string
  readonly to: string
  /** What the copy is called in its target: the source, and where the sessions go. No passwords. */
  readonly name: string
  /** Where the sessions go instead of the target. */
  readonly redis?: RedisTarget | undefined
  readonly onProgress: (progress: Progress) => void
}

/** How many rows of a table are compared, the first and the last among them. */
const SAMPLES = 50

/** Until all is the same, the target cannot be served. Throws CopyRefusedError where it has something that this copy did not bring. */
export async function copyDatabase(options: CopyOptions): Promise<readonly CopiedTable[]> {
  const [from, to] = [fileOf(options.from), fileOf(options.to)]
  if (from !== undefined && to !== undefined && isSameFile(from, to)) throw new CopyRefusedError('busy')
  const source = await onSide('from', () => openSource(options.from))
  try {
    const target = await onSide('to', () => openTarget(source, options))
    try {
      return await copyTables(source, target, options)
    } finally {
      await target.close()
    }
  } finally {
    await source.close()
  }
}

async function copyTables(source: Side, target: Side, options: CopyOptions): Promise<readonly CopiedTable[]> {
  // Once more: now nobody else is at it.
  await refuseTaken(source, target, options)
  closeToOthers(options.to)
  await target.writeCheckpoint(options.name)
  const copied: CopiedTable[] = []
  for (const name of TABLE_NAMES) {
    const of = await count(source, name)
    const toRedis = name === 'guildhall_sessions' ? options.redis : undefined
    const onRows = (rows: number) => options.onProgress({ table: toRedis ? REDIS_SESSIONS : name, rows, of })
    copied.push(await (toRedis ? toRedis.copySessions(source, onRows) : copyTable(source, target, name, onRows)))
  }
  if (copied.every(({ same }) => same)) await target.writeCheckpoint(undefined)
  return copied
}

/** Throws where this copy may not go there. */
async function refuseTaken(source: Side, target: Side, { name, redis }: CopyOptions): Promise<void> {
  const [{ copying = null } = {}] = await target.ask('SELECT copying FROM guildhall_schema')
  if (copying === name) return
  if (copying !== null) throw new CopyRefusedError('other_source', { source: String(copying) })
  for (const table of TABLE_NAMES)
    if ((await count(target, table)) > 0) throw new CopyRefusedError((await isFinished(source, target)) ? 'finished' : 'foreign')
  if (await redis?.hasSessions()) throw new CopyRefusedError('redis')
}

/** Whether an earlier copy brought the users: ids are random, so nobody else has them. The new site may have changed the rest since. */
async function isFinished(source: Side, target: Side): Promise<boolean> {
  for (const { id } of await samples(source, 'guildhall_users', await count(source, 'guildhall_users'))) {
    const [there] = await target.ask('SELECT id FROM guildhall_users WHERE id = ?', String(id))
    if (there) return true
  }
  return false
}

/** Rows come in the order of their keys: the last key in the target says where to go on. */
async function copyTable(source: Side, target: Side, name: TableName, onRows: (rows: number) => void): Promise<CopiedTable> {
  let rows = await count(target, name)
  const [{ last = null } = {}] = await target.ask(`SELECT max(${target.sortKey(name)}) AS last FROM ${name}`)
  for await (const batch of source.sorted(name, String(last ?? ''))) {
    await target.insert(name, batch)
    rows += batch.length
    onRows(rows)
  }
  const counts = { source: await count(source, name), target: await count(target, name) }
  const same = counts.source === counts.target && (await samplesAgree(source, target, name, counts.source))
  return { table: name, ...counts, same }
}

async function samplesAgree(source: Side, target: Side, name: TableName, rows: number): Promise<boolean> {
  const key = TABLE_KEYS[name]
  for (const row of await samples(source, name, rows)) {
    const [there] = await target.ask(`SELECT * FROM ${name} WHERE ${key} = ?`, String(row[key]))
    if (!isSameRow(row, there)) return false
  }
  return true
}

async function samples(side: Side, name: TableName, rows: number): Promise<readonly Row[]> {
  const offsets = new Set(Array.from({ length: SAMPLES }, (_, n) => Math.floor((n * (rows - 1)) / (SAMPLES - 1))))
  const found: Row[] = []
  for (const offset of rows === 0 ? [] : offsets)
    found.push(...(await side.ask(`SELECT * FROM ${name} ORDER BY ${side.sortKey(name)} LIMIT 1 OFFSET ?`, offset)))
  return found
}

function isSameRow(one: Row | undefined, other: Row | undefined): boolean {
  return one !== undefined && Object.entries(one).every(([column, value]) => value === other?.[column])
}

async function count(side: Side, table: TableName): Promise<number> {
  const [row] = await side.ask(`SELECT count(*) AS rows FROM ${table}`)
  return Number(row?.rows)
}

async function openSource(from: string): Promise<Side> {
  const file = fileOf(from)
  await withDatabase(file === undefined ? openDatabase(from) : openSqlite(file, { readOnly: true }), (db) => db.check())
  return file === undefined ? openPostgresSource(from) : openSqliteSource(file)
}

/** Made where there is none. A file that is refused stays as it is: it is only read before that is known. */
async function openTarget(source: Side, options: CopyOptions): Promise<Side> {
  const { to } = options
  const file = fileOf(to)
  if (file === undefined) {
    if (!(await withDatabase(openDatabase(to), isMigrated))) await withDatabase(openDatabase(to), (db) => db.migrate())
    return openPostgresTarget(to)
  }
  if (existsSync(file) && (await withDatabase(openSqlite(file, { readOnly: true }), isMigrated))) {
    const look = openSqliteReadOnly(file)
    try {
      await refuseTaken(source, look, options)
    } finally {
      await look.close()
    }
  } else await withDatabase(openSqlite(file), (db) => db.migrate())
  return openSqliteTarget(file)
}

/** False where nothing of ours is there yet. Throws where it has the schema of another program. */
async function isMigrated(db: Database): Promise<boolean> {
  try {
    await db.check()
    return true
  } catch (error) {
    if (!(error instanceof OtherSchemaError)) throw error
    if (error.code === 'schema_older' && error.version === 0) return false
    if (error.code === 'schema_copying') return true
    throw error
  }
}

async function withDatabase<T>(db: Database, work: (db: Database) => Promise<T>): Promise<T> {
  try {
    return await work(db)
  } finally {
    await db.close()
  }
}

/** What is going to be in the file is for its owner alone, whoever made it. */
function closeToOthers(to: string): void {
  const file = fileOf(to)
  if (file === undefined) return
  for (const end of ['', ...SIDECARS]) if (existsSync(file + end)) chmodSync(file + end, 0o600)
}

function fileOf(database: string): string | undefined {
  return readDatabaseUrl(database)?.databaseFile
}

async function onSide<T>(side: 'from' | 'to', work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    throw error instanceof CopyRefusedError ? error : new CopySideError(side, error)
  }
}
