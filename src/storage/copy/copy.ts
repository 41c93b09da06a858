// Copies a database into an empty one, table after table. A stopped run can be gone on with.
import { chmodSync, existsSync, statSync } from 'node:fs'
import { openDatabase } from '../open.ts'
import { TABLE_KEYS, type TableName } from '../schema.ts'
import { OtherSchemaError } from '../schema-state.ts'
import { SIDECARS } from '../sqlite/atomic-file.ts'
import { openPostgresSource, openPostgresTarget } from './postgres-side.ts'
import type { RedisTarget } from './redis-target.ts'
import { CopyRefusedError, CopySideError } from './refused.ts'
import { type CopiedTable, keyFirst, keyOf, namesOf, type Row, type Side, TABLE_NAMES, type Table } from './side.ts'
import { openSqliteSource, openSqliteTarget } from './sqlite-side.ts'

export interface Progress {
  readonly table: TableName
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
  const { from, to } = options
  refuseSameFile(from, to)
  const source = await onSide('from', () => openSource(from))
  try {
    const target = await onSide('to', () => openTarget(to))
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
  await begin(target, options)
  const copied: CopiedTable[] = []
  for (const name of TABLE_NAMES) {
    const of = await count(source, name)
    const onRows = (rows: number) => options.onProgress({ table: name, rows, of })
    const toRedis = name === 'guildhall_sessions' ? options.redis : undefined
    copied.push(await (toRedis ? toRedis.copySessions(source, onRows) : copyTable(source, target, name, onRows)))
  }
  if (copied.every(({ same }) => same)) await target.writeCheckpoint(undefined)
  return copied
}

/** Throws where this copy may not go there; nothing was changed then. */
async function begin(target: Side, { to, name, redis }: CopyOptions): Promise<void> {
  const [[copying = null] = []] = await target.ask('SELECT copying FROM guildhall_schema')
  if (copying === name) return
  if (copying !== null) throw new CopyRefusedError('other_source', { source: String(copying) })
  for (const table of TABLE_NAMES) if ((await count(target, table)) > 0) throw new CopyRefusedError('foreign')
  if (await redis?.hasSessions()) throw new CopyRefusedError('redis')
  closeToOthers(to)
  await target.writeCheckpoint(name)
}

/** Rows come in the order of their keys: the last key in the target says where to go on. */
async function copyTable(source: Side, target: Side, name: TableName, onRows: (rows: number) => void): Promise<CopiedTable> {
  const table = keyFirst(name, await target.columns(name))
  let rows = await count(target, name)
  const [[last = null] = []] = await target.ask(`SELECT max(${target.sortKey(name)}) FROM ${name}`)
  for await (const batch of source.sorted(table, String(last ?? ''))) {
    await target.insert(table, batch)
    rows += batch.length
    onRows(rows)
  }
  const counts = { source: await count(source, name), target: await count(target, name) }
  const same = counts.source === counts.target && (await samplesAgree(source, target, table, counts.source))
  return { table: name, ...counts, same }
}

async function samplesAgree(source: Side, target: Side, table: Table, rows: number): Promise<boolean> {
  const offsets = new Set(Array.from({ length: SAMPLES }, (_, n) => Math.floor((n * (rows - 1)) / (SAMPLES - 1))))
  const select = `SELECT ${namesOf(table)} FROM ${table.name}`
  for (const offset of rows === 0 ? [] : offsets) {
    const [row] = await source.ask(`${select} ORDER BY ${source.sortKey(table.name)} LIMIT 1 OFFSET ?`, offset)
    const [there] = row ? await target.ask(`${select} WHERE ${TABLE_KEYS[table.name]} = ?`, keyOf(row)) : []
    if (!isSameRow(row, there)) return false
  }
  return true
}

function isSameRow(one: Row | undefined, other: Row | undefined): boolean {
  return one !== undefined && other !== undefined && one.every((value, at) => value === other[at])
}

async function count(side: Side, table: TableName): Promise<number> {
  const [row] = await side.ask(`SELECT count(*) FROM ${table}`)
  return Number(row?.[0])
}

async function openSource(from: string): Promise<Side> {
  await withDatabase(from, (db) => db.check())
  const file = fileOf(from)
  return file === undefined ? openPostgresSource(from) : openSqliteSource(file)
}

/** Made where there is none. */
async function openTarget(to: string): Promise<Side> {
  await withDatabase(to, async (db) => {
    try {
      await db.check()
    } catch (error) {
      if (!(error instanceof OtherSchemaError)) throw error
      if (error.code === 'schema_older' && error.version === 0) return db.migrate()
      if (error.code !== 'schema_copying') throw error
    }
  })
  const file = fileOf(to)
  return file === undefined ? openPostgresTarget(to) : openSqliteTarget(file)
}

async function withDatabase(url: string, work: (db: ReturnType<typeof openDatabase>) => Promise<void>): Promise<void> {
  const db = openDatabase(url)
  try {
    await work(db)
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

function refuseSameFile(from: string, to: string): void {
  const [one, other] = [fileOf(from), fileOf(to)]
  if (one === undefined || other === undefined || !existsSync(one) || !existsSync(other)) return
  const [a, b] = [statSync(one, { bigint: true }), statSync(other, { bigint: true })]
  if (a.dev === b.dev && a.ino === b.ino) throw new CopyRefusedError('busy')
}

function fileOf(database: string): string | undefined {
  return database.startsWith('sqlite:') ? database.slice('sqlite:'.length) : undefined
}

async function onSide<T>(side: 'from' | 'to', work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    throw error instanceof CopyRefusedError ? error : new CopySideError(side, error)
  }
}
