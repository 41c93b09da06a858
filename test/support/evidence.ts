// What a site leaves behind: rows and bytes of its database file, lines of its log. Tests look here as a thief would.
import { existsSync, readFileSync } from 'node:fs'
import { DatabaseSync, type SQLInputValue, type SQLOutputValue } from 'node:sqlite'
import { inspect } from 'node:util'
import { onTestFinished } from 'vitest'
import { openSite, type Site, type SiteOptions } from './site.ts'

/** A site that is closed when the test is over. */
export async function siteOfTest(options: SiteOptions = {}): Promise<Site> {
  const site = await openSite(options)
  onTestFinished(() => site.close())
  return site
}

export type Row = Readonly<Record<string, SQLOutputValue>>

/** Runs one statement through a connection of its own, as another program would; gives its rows. */
export function inDatabase({ file }: Pick<Site, 'file'>, sql: string, ...values: readonly SQLInputValue[]): readonly Row[] {
  const database = new DatabaseSync(file)
  try {
    return database.prepare(sql).all(...values)
  } finally {
    database.close()
  }
}

export function countRows(site: Pick<Site, 'file'>, table: 'users' | 'credentials' | 'sessions'): number {
  return Number(inDatabase(site, `SELECT count(*) AS n FROM ${table}`)[0]?.n)
}

/** The stored password hash of a person. */
export function storedHash(site: Pick<Site, 'file'>, username: string): string {
  const sql = 'SELECT value FROM credentials JOIN users ON users.id = user_id WHERE username = ?'
  return String(inDatabase(site, sql, username)[0]?.value)
}

/** Every byte of the database: the file, its write-ahead log and the log's index. */
export function bytesAtRest({ file }: Pick<Site, 'file'>): string {
  return ['', '-wal', '-shm']
    .map((end) => file + end)
    .filter((path) => existsSync(path))
    .map((path) => readFileSync(path, 'latin1'))
    .join('\n')
}

/** Everything that was logged, errors with their causes and what they hide. */
export function logText({ logs }: Pick<Site, 'logs'>): string {
  return inspect(logs, { depth: 20, showHidden: true, maxArrayLength: null, maxStringLength: null })
}
