// The database as it is written in settings, and as it may be shown: without the user, the password and the options of a connection string.
import type { Config } from './config.ts'

type Place = Pick<Config, 'database' | 'databaseFile'>

/** Undefined where the text names no database of ours. */
export function readDatabase(database: string): Place | undefined {
  if (postgresUrl(database)) return { database, databaseFile: undefined }
  if (!/^sqlite:(?!\/\/).+$/.test(database)) return undefined
  return { database, databaseFile: database === 'sqlite::memory:' ? undefined : database.slice('sqlite:'.length) }
}

export function shownDatabase({ database, databaseFile }: Place): string {
  if (databaseFile !== undefined || database.startsWith('sqlite:')) return database
  const url = postgresUrl(database)
  return url === undefined ? 'PostgreSQL' : `postgres://${url.host}${url.pathname}`
}

/** As pg reads it; undefined where it is none. Between `@` and `/` there may be nothing: the options then name a socket. */
export function postgresUrl(database: string): URL | undefined {
  const whole = database.replace('@/', '@localhost/')
  return /^postgres(?:ql)?:\/\/./i.test(database) && URL.canParse(whole) ? new URL(whole) : undefined
}
