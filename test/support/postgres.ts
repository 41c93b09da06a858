// Tests on PostgreSQL, and a schema of its own there for every site.
import { randomUUID } from 'node:crypto'
import { inject } from 'vitest'
import { describeUnless } from './needs.ts'
import { makeDatabase, onServer, postgresAnswers, type TestDatabase } from './postgres-server.ts'

export { makeDatabase, onServer, type TestDatabase } from './postgres-server.ts'

const missing = (await postgresAnswers()) ? undefined : 'PostgreSQL'

/** Tests on the PostgreSQL of this machine. */
export function describeOnPostgres(title: string, body: () => void): void {
  describeUnless(missing, title, body)
}

/** Emptied and used again by the next site of this file: making the tables takes longer than most tests. */
const free: string[] = []

/** Room for one site: a schema of its own in the database of this run, which goes when the run is over. */
export async function borrowDatabase(): Promise<TestDatabase> {
  const run = inject('postgres')
  if (run === undefined) return makeDatabase()
  const url = free.pop() ?? (await makeSchema(run))
  return {
    url,
    async drop() {
      await onServer(
        'DELETE FROM guildhall_audit; DELETE FROM guildhall_sessions; DELETE FROM guildhall_mails; DELETE FROM guildhall_flows; DELETE FROM guildhall_users; DELETE FROM guildhall_counters; DELETE FROM guildhall_leases',
        url,
      )
      free.push(url)
    },
  }
}

async function makeSchema(run: string): Promise<string> {
  const name = `site_${randomUUID().replaceAll('-', '')}`
  await onServer(`CREATE SCHEMA ${name}`, run)
  return `${run}?options=${encodeURIComponent(`-c search_path=${name}`)}`
}
