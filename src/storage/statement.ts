// A statement is written once with Kysely, compiled once per database, and run with named values.

import {
  type Compilable,
  DummyDriver,
  Kysely,
  PostgresAdapter,
  PostgresIntrospector,
  PostgresQueryCompiler,
  SqliteAdapter,
  SqliteIntrospector,
  SqliteQueryCompiler,
} from 'kysely'
import type { SqlValue } from '../database/transaction.ts'
import type { Schema } from './schema.ts'

export type Dialect = 'sqlite' | 'postgres'

export interface Compiled<P> {
  readonly sql: string
  /** The values in the order of their placeholders; undefined becomes NULL. */
  bind(values: P): SqlValue[]
}

export type StatementValues = Readonly<Record<string, string | number | undefined>>

export interface Statement<P extends StatementValues, R> {
  readonly name: string
  compile(dialect: Dialect): Compiled<P>
  /** The rows of the database as the program's own objects. */
  rows(found: readonly unknown[]): readonly R[]
}

/** A statement with its values, for a transaction. */
export interface BoundStatement {
  readonly name: string
  /** How many rows it must touch; any other number rolls the whole transaction back. */
  readonly expectRows: number | undefined
  compile(dialect: Dialect): { readonly sql: string; readonly params: SqlValue[] }
}

/** Kysely only compiles; it runs nothing. */
const compilers: Record<Dialect, Kysely<Schema>> = {
  sqlite: new Kysely({
    dialect: {
      createAdapter: () => new SqliteAdapter(),
      createDriver: () => new DummyDriver(),
      createIntrospector: (db) => new SqliteIntrospector(db),
      createQueryCompiler: () => new SqliteQueryCompiler(),
    },
  }),
  postgres: new Kysely({
    dialect: {
      createAdapter: () => new PostgresAdapter(),
      createDriver: () => new DummyDriver(),
      createIntrospector: (db) => new PostgresIntrospector(db),
      createQueryCompiler: () => new PostgresQueryCompiler(),
    },
  }),
}

/** Represents a named value while a statement is compiled. */
class Placeholder {
  readonly name: string

  constructor(name: string) {
    this.name = name
  }
}

/** Declares a statement. `map` turns a row into what callers get, so that column names stay in this folder. */
export function statement<P extends StatementValues, Row, R = Row>(
  name: string,
  build: (db: Kysely<Schema>, values: P) => Compilable<Row>,
  map?: (row: Row) => R,
): Statement<P, R> {
  const compiled = new Map<Dialect, Compiled<P>>()
  return {
    name,
    compile(dialect) {
      const known = compiled.get(dialect)
      if (known) return known
      const made = compile(build, compilers[dialect])
      compiled.set(dialect, made)
      return made
    },
    // Kysely derives the row's type from the schema. Without a mapper, R is Row.
    rows: (found) => (map ? (found as readonly Row[]).map(map) : (found as readonly R[])),
  }
}

/** A statement with its values, for a transaction: `bind(insertUser, values, { expectRows: 1 })`. */
export function bind<P extends StatementValues, R>(
  of: Statement<P, R>,
  values: P,
  options: { readonly expectRows?: number } = {},
): BoundStatement {
  return {
    name: of.name,
    expectRows: options.expectRows,
    compile(dialect) {
      const { sql, bind } = of.compile(dialect)
      return { sql, params: bind(values) }
    },
  }
}

function compile<P extends StatementValues, R>(
  build: (db: Kysely<Schema>, values: P) => Compilable<R>,
  compiler: Kysely<Schema>,
): Compiled<P> {
  // The one cast: Kysely passes any value that it does not know on to `parameters`, so each property may be a placeholder.
  const placeholders = new Proxy({}, { get: (_, name) => new Placeholder(String(name)) }) as P
  const { sql, parameters } = build(compiler, placeholders).compile()
  return {
    sql,
    bind: (values) => parameters.map((parameter) => toSql(parameter instanceof Placeholder ? values[parameter.name] : parameter)),
  }
}

function toSql(value: unknown): SqlValue {
  if (value === undefined || value === null) return null
  if (typeof value === 'string' || typeof value === 'number') return value
  throw new TypeError(`a statement takes strings and numbers, got ${typeof value}`)
}
