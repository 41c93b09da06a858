// Which schema a database has, and whether this program may work on it.
import { migrations } from './migrations.ts'
import { TABLE_KEYS, UNCOPIED_TABLES } from './schema.ts'

export const SCHEMA_VERSION = migrations.length

/** The row of the version table; version 0 if there is none. */
export interface SchemaState {
  readonly version: number
  /** The source of an unfinished copy. */
  readonly copying?: string | undefined
  /** Whether there are tables of before the first release, and none of today's. */
  readonly isUnreleased?: boolean
  /** Whether there are tables with our names that no Guildhall made. */
  readonly isForeign?: boolean
}

export const CREATE_SCHEMA_TABLE = 'CREATE TABLE IF NOT EXISTS guildhall_schema (version integer NOT NULL, copying text)'
export const SELECT_SCHEMA = 'SELECT version, copying FROM guildhall_schema'

/** Columns that only our unreleased tables `users`, `credentials` and `sessions` have together. */
export const UNRELEASED_COLUMNS = [
  ['users', 'username_key'],
  ['users', 'credential_epoch'],
  ['credentials', 'changed_at'],
  ['sessions', 'public_id'],
  ['sessions', 'idle_ms'],
] as const

/** Our tables but for the version's, as a list for IN. */
export const OTHER_TABLES = [...Object.keys(TABLE_KEYS), ...UNCOPIED_TABLES, 'guildhall_leases']
  .map((name) => `'${name}'`)
  .join(', ')

/** What exists under our names. */
export interface TablesFound {
  /** The columns of guildhall_schema, joined by commas; null if it does not exist. */
  readonly columns: string | null
  /** How many of OTHER_TABLES exist. */
  readonly tables: number
}

/** Whether SELECT_SCHEMA can run. A newer program may have added columns. */
export function hasVersion({ columns }: TablesFound): boolean {
  return columns?.startsWith('version,copying') ?? false
}

/** Made from the found tables and the row of SELECT_SCHEMA. */
export function schemaStateOf(found: TablesFound, row: unknown): SchemaState {
  const { version, copying }: { version?: unknown; copying?: unknown } = Object(row)
  const number = Number(version ?? 0)
  const isOurs = number > 0 ? found.tables > 0 : found.tables === 0 && (found.columns === null || hasVersion(found))
  return { version: number, copying: typeof copying === 'string' ? copying : undefined, isForeign: !isOurs }
}

/** The migrations that remain for a database of this version, and the statement that stores the new version. */
export function statementsFrom(version: number): readonly string[] {
  if (version >= SCHEMA_VERSION) return []
  const migrating = migrations.slice(version).flatMap(({ statements }) => statements)
  return [...migrating, 'DELETE FROM guildhall_schema', `INSERT INTO guildhall_schema (version) VALUES (${SCHEMA_VERSION})`]
}

type SchemaCode = 'schema_older' | 'schema_newer' | 'schema_unreleased' | 'schema_copying' | 'schema_foreign'

/** The database has another schema than this program. */
export class OtherSchemaError extends Error {
  override readonly name = 'OtherSchemaError'
  readonly code: SchemaCode
  /** The number of its last migration; 0 if it had none. */
  readonly version: number
  readonly copying: string | undefined

  constructor(code: SchemaCode, { version, copying }: SchemaState) {
    super(messageOf(code, version, copying))
    this.code = code
    this.version = version
    this.copying = copying
  }
}

function messageOf(code: SchemaCode, version: number, copying = ''): string {
  if (code === 'schema_older') return 'the database is not migrated: run `guildhall migrate`, or await membership.migrate()'
  if (code === 'schema_unreleased')
    return 'the database has tables of a Guildhall from before the first release, which cannot be brought up to date: use a new database; this one stays as it is'
  if (code === 'schema_copying')
    return `the database is an unfinished copy of ${copying}: run \`guildhall copy\` again, it goes on where it stopped`
  if (code === 'schema_foreign')
    return 'the database has tables whose names begin with guildhall_ that no Guildhall left so: use a new database, or restore a backup; this one stays as it is'
  return `the database has schema ${version}, this program knows ${SCHEMA_VERSION}: start the newer program, or restore the backup from before the upgrade`
}

/** Why this program must not touch the database; undefined if it may. */
export function refusalOf(state: SchemaState): SchemaCode | undefined {
  if (state.isUnreleased) return 'schema_unreleased'
  if (state.version > SCHEMA_VERSION) return 'schema_newer'
  if (state.copying !== undefined) return 'schema_copying'
  return state.isForeign ? 'schema_foreign' : undefined
}

/** Throws if this program must not touch the database. */
export function refuseOtherSchema(state: SchemaState): void {
  const refusal = refusalOf(state)
  if (refusal !== undefined) throw new OtherSchemaError(refusal, state)
}

/** Throws if this program cannot work on the database as it is. */
export function requireSchema(state: SchemaState): void {
  refuseOtherSchema(state)
  if (state.version < SCHEMA_VERSION) throw new OtherSchemaError('schema_older', state)
}

/** The database cannot hold our schema. */
export class UnfitDatabaseError extends Error {
  override readonly name = 'UnfitDatabaseError'
  readonly code = 'database_unfit'

  constructor(because: 'no_schema' | 'encoding', encoding = '') {
    super(
      because === 'encoding'
        ? `the database has the encoding ${encoding}, which cannot hold every name: make one with ENCODING 'UTF8'`
        : 'the database has none of the schemas that its search_path names: make one with CREATE SCHEMA, or name another',
    )
  }
}
