// What a site leaves behind, read as a thief would: rows and bytes of its database, lines of its log.
import { inspect } from 'node:util'
import { onTestFinished } from 'vitest'
import { inDatabase, type Kept } from './database-inspector.ts'
import { openSite, type Site, type SiteOptions } from './site.ts'

export { bytesAtRest, countRows, inDatabase, sessionRows } from './database-inspector.ts'

/** A site that is closed when the test is over. */
export async function siteOfTest(options: SiteOptions = {}): Promise<Site> {
  const site = await openSite(options)
  onTestFinished(() => site.close())
  return site
}

/** The stored password hash of a person. */
export async function storedHash(site: Kept, username: string): Promise<string> {
  const sql = 'SELECT data FROM guildhall_credentials JOIN guildhall_users ON guildhall_users.id = user_id WHERE username = ?'
  const [row] = await inDatabase(site, sql, username)
  return String(row?.data)
}

/** Everything that was logged, errors with their causes and what they hide. */
export function logText({ logs }: Pick<Site, 'logs'>): string {
  return inspect(logs, { depth: 20, showHidden: true, maxArrayLength: null, maxStringLength: null })
}
