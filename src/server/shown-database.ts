// The database as it may be shown: a connection string without its password.
import type { Config } from './config.ts'

export function shownDatabase({ database, databaseFile }: Pick<Config, 'database' | 'databaseFile'>): string {
  if (databaseFile !== undefined || !URL.canParse(database)) return database
  const { protocol, host, pathname } = new URL(database)
  return protocol === 'sqlite:' ? database : `${protocol}//${host}${pathname}`
}
