// The database in one SQLite file: the same statements, run on one connection that nobody holds across an `await`.
import { SqliteConnection } from '../../database/sqlite/connection.ts'
import type { SqlValue } from '../../database/transaction.ts'
import type { Database, UserRow } from '../contract.ts'
import { SqlCounters } from '../counters.ts'
import { migrations, OtherSchema, SCHEMA_VERSION } from '../migrations.ts'
import { SqliteMembershipSessions } from '../sessions.ts'
import { type BoundStatement, compilerFor, type Statement, type StatementValues } from '../statement.ts'
import { findUserById, toUserRow } from '../users.ts'

/** Opens, and makes where it is missing, the database at `path`; `:memory:` keeps nothing. */
export function openSqlite(path: string): Database {
  return new SqliteDatabase(new SqliteConnection(path))
}

class SqliteDatabase implements Database {
  readonly sessions: SqliteMembershipSessions
  readonly counters = new SqlCounters(this)
  readonly #connection: SqliteConnection

  constructor(connection: SqliteConnection) {
    this.#connection = connection
    this.sessions = new SqliteMembershipSessions(connection)
  }

  findUser(id: string): UserRow | undefined {
    const found = this.first(findUserById, { id })
    return found && toUserRow(found)
  }

  all<P extends StatementValues, R>(statement: Statement<P, R>, values: P): readonly R[] {
    const { sql, bind } = statement.compile('sqlite')
    return this.#connection.all<R>(sql, bind(values))
  }

  first<P extends StatementValues, R>(statement: Statement<P, R>, values: P): R | undefined {
    const { sql, bind } = statement.compile('sqlite')
    return this.#connection.first<R>(sql, bind(values))
  }

  write<P extends StatementValues, R>(statement: Statement<P, R>, values: P): readonly R[] | Promise<readonly R[]> {
    return this.#connection.retrying(() => this.all(statement, values))
  }

  async transaction(steps: readonly BoundStatement[]): Promise<void> {
    const compiled = steps.map((step) => ({ ...step.compile('sqlite'), name: step.name, touches: step.expectRows }))
    await this.#connection.retrying(() => this.#connection.transaction(compiled, { durable: true }))
  }

  async migrate(): Promise<void> {
    await this.#connection.retrying(() => this.#migrateNow())
  }

  async check(): Promise<void> {
    const version = this.#version()
    if (version !== SCHEMA_VERSION) throw new OtherSchema(version)
  }

  ready(): Promise<void> {
    return this.check()
  }

  async close(): Promise<void> {
    this.#connection.close()
  }

  /** Exclusive, so that of two processes that start at once one migrates and the other finds the work done. */
  #migrateNow(): void {
    const connection = this.#connection
    connection.exclusively(() => {
      const version = this.#version()
      if (version > SCHEMA_VERSION) throw new OtherSchema(version)
      for (const migration of migrations.slice(version)) {
        for (const statement of migration.statements(compilerFor('sqlite'))) connection.run(statement.compile().sql)
      }
      connection.run(`PRAGMA user_version = ${SCHEMA_VERSION}`)
    })
  }

  #version(): number {
    const row = this.#connection.first<{ user_version: SqlValue }>('PRAGMA user_version', [])
    return Number(row?.user_version ?? 0)
  }
}
