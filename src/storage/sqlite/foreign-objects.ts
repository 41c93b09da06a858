// Whether the schema of a SQLite file does to our tables what our migrations say, and nothing else.
import { DatabaseSync } from '../../database/sqlite/driver.ts'
import { migrations } from '../migrations.ts'
import { CREATE_SCHEMA_TABLE } from '../schema-state.ts'

/** A row of sqlite_schema, https://www.sqlite.org/schematab.html */
export interface SchemaObject {
  readonly type: unknown
  readonly name: unknown
  readonly tableName: unknown
  readonly sql: unknown
}

export const SELECT_OBJECTS = 'SELECT type, name, tbl_name AS "tableName", sql FROM sqlite_schema'

const OWN_NAME = /^guildhall_/i
/** Objects that run or are read when a table is used. A table of the application may refer to ours. */
const ACTING = ['trigger', 'view', 'index']

/**
 * Describes what differs from this version's migrations: a trigger, a default, a generated column or an index on an expression runs with
 * every login, and could make anybody an administrator. Undefined if nothing does. Objects that name none of our tables are ignored.
 */
export function describeForeign(objects: readonly SchemaObject[], version: number): string | undefined {
  const expected = objectsOf(version)
  const found = new Set(objects.map(textOf))
  const foreign = objects.find((object) => concernsUs(object) && !expected.has(textOf(object)))
  if (foreign !== undefined) return `the ${String(foreign.type)} ${String(foreign.name)}`
  const missing = [...expected].find(([text]) => !found.has(text))
  return missing && `no ${String(missing[1].type)} ${String(missing[1].name)} as ours`
}

function concernsUs({ type, name, tableName, sql }: SchemaObject): boolean {
  if (OWN_NAME.test(String(name)) || OWN_NAME.test(String(tableName))) return true
  return ACTING.includes(String(type)) && /guildhall_/i.test(String(sql))
}

/** The objects by their text, as SQLite stores it. */
function objectsOf(version: number): ReadonlyMap<string, SchemaObject> {
  const database = new DatabaseSync(':memory:')
  try {
    database.exec(CREATE_SCHEMA_TABLE)
    for (const { statements } of migrations.slice(0, version)) for (const sql of statements) database.exec(sql)
    return new Map(readObjects(database).map((object) => [textOf(object), object]))
  } finally {
    database.close()
  }
}

export function readObjects(database: DatabaseSync): readonly SchemaObject[] {
  return database
    .prepare(SELECT_OBJECTS)
    .all()
    .map(({ type, name, tableName, sql }) => ({ type, name, tableName, sql }))
}

/** Line breaks make no difference. */
function textOf({ type, name, tableName, sql }: SchemaObject): string {
  return JSON.stringify([type, name, tableName, typeof sql === 'string' ? sql.replace(/\s+/g, ' ') : sql])
}
