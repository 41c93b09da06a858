// The database as it may be shown: a connection string without its user, its password and its options.
import type { Config } from './config.ts'

export function shownDatabase({ database, databaseFile }: Pick<Config, 'database' | 'databaseFile'>): string {
  if (databaseFile !== undefined || database.startsWith('sqlite:')) return database
  const url = postgresUrl(database)
  return url === undefined ? 'PostgreSQL' : `postgres://${url.host}${url.pathname}`
}

/** As pg reads it; undefined where it is none. Between `@` and `/` there may be nothing: the options then name a socket. */
export function postgresUrl(database: string): URL | undefined {
  const whole = database.replace('@/', '@localhost/')
  return /^postgres(?:ql)?:\/\/./i.test(database) && URL.canParse(whole) ? new URL(whole) : undefined
}
