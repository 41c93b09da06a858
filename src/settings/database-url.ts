// The database and Redis as settings name them, and as they may be shown: no user, no password.

export interface DatabasePlace {
  readonly database: string
  /** Undefined where the database is in memory or on a server. */
  readonly databaseFile: string | undefined
}

/** Undefined where the text names no database of ours. */
export function readDatabaseUrl(database: string): DatabasePlace | undefined {
  if (postgresUrl(database)) return { database, databaseFile: undefined }
  if (!/^sqlite:(?!\/\/).+$/.test(database)) return undefined
  return { database, databaseFile: database === 'sqlite::memory:' ? undefined : database.slice('sqlite:'.length) }
}

export function redactDatabaseUrl(database: string): string {
  if (database.startsWith('sqlite:')) return database
  const url = postgresUrl(database)
  return url === undefined ? 'PostgreSQL' : `postgres://${url.host}${url.pathname}`
}

/** As pg reads it; undefined where it is none. Between `@` and `/` there may be nothing: the options then name a socket. */
export function postgresUrl(database: string): URL | undefined {
  const whole = database.replace('@/', '@localhost/')
  return /^postgres(?:ql)?:\/\/./i.test(database) && URL.canParse(whole) ? new URL(whole) : undefined
}

export function isRedisUrl(text: string): boolean {
  return /^rediss?:\/\/./.test(text) && URL.canParse(text)
}
