// Reads the URLs of the database and Redis, and redacts them for logs: no user, no password.

export interface DatabaseLocation {
  readonly database: string
  /** Undefined if the database is in memory or on a server. */
  readonly databaseFile: string | undefined
}

/** Undefined if the text names no supported database. */
export function readDatabaseUrl(database: string): DatabaseLocation | undefined {
  if (postgresUrl(database)) return { database, databaseFile: undefined }
  const [, path] = /^sqlite:(.+)$/.exec(database) ?? []
  if (path === ':memory:') return { database, databaseFile: undefined }
  return path !== undefined && isPath(path) ? { database, databaseFile: path } : undefined
}

/** SQLite itself takes URIs, and `mode=memory` in one keeps nothing: a path that looks like a URI is refused. */
function isPath(path: string): boolean {
  return path === path.trim() && !/^\/\/|^file:|^:|\?\w+=/i.test(path)
}

export function redactDatabaseUrl(database: string): string {
  if (database.startsWith('sqlite:')) return database
  const url = postgresUrl(database)
  return url === undefined ? 'PostgreSQL' : `postgres://${url.host}${url.pathname}`
}

/** The URL as pg reads it; undefined if it is none. The host may be empty: the options then name a socket. */
export function postgresUrl(database: string): URL | undefined {
  // pg takes a % that begins no escape literally.
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

/** Whether user and password can be percent-decoded. */
function hasReadableLogin({ username, password }: URL): boolean {
  try {
    decodeURIComponent(username + password)
    return true
  } catch {
    return false
  }
}
