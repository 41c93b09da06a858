// The database and Redis as settings name them, and as they may be shown: no user, no password.

export interface DatabasePlace {
  readonly database: string
  /** Undefined where the database is in memory or on a server. */
  readonly databaseFile: string | undefined
}

/** Undefined where the text names no database of ours. */
export function readDatabaseUrl(database: string): DatabasePlace | undefined {
  if (postgresUrl(database)) return { database, databaseFile: undefined }
  const [, path] = /^sqlite:(.+)$/.exec(database) ?? []
  if (path === ':memory:') return { database, databaseFile: undefined }
  return path !== undefined && isPath(path) ? { database, databaseFile: path } : undefined
}

/** SQLite itself takes URIs, in which `mode=memory` keeps nothing: what looks like one is none of the paths that somebody means. */
function isPath(path: string): boolean {
  return path === path.trim() && !/^\/\/|^file:|^:|\?\w+=/i.test(path)
}

export function redactDatabaseUrl(database: string): string {
  if (database.startsWith('sqlite:')) return database
  const url = postgresUrl(database)
  return url === undefined ? 'PostgreSQL' : `postgres://${url.host}${url.pathname}`
}

/** As pg reads it; undefined where it is none. Between `@` and `/` there may be nothing: the options then name a socket. */
export function postgresUrl(database: string): URL | undefined {
  // A % that begins no escape is one to pg.
  const whole = database.replace('@/', '@localhost/').replaceAll(/%(?![\da-f]{2})/gi, '%25')
  if (!/^postgres(?:ql)?:\/\/./i.test(database) || !URL.canParse(whole)) return undefined
  const url = new URL(whole)
  return hasReadableLogin(url) ? url : undefined
}

export function isRedisUrl(text: string): boolean {
  if (!/^rediss?:\/\/./.test(text) || !URL.canParse(text)) return false
  const url = new URL(text)
  return /^\/?\d*$/.test(url.pathname) && hasReadableLogin(url)
}

/** A user and a password whose escapes can be undone. */
function hasReadableLogin({ username, password }: URL): boolean {
  try {
    decodeURIComponent(username + password)
    return true
  } catch {
    return false
  }
}
