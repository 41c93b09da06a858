// Databases of a test's own on the PostgreSQL of this machine: made empty, dropped afterwards.
import { randomUUID } from 'node:crypto'
import pg from 'pg'
import { describe } from 'vitest'

const SERVER = process.env.GUILDHALL_TEST_POSTGRES ?? 'postgres://postgres@127.0.0.1:5432/postgres'

export interface TestDatabase {
  readonly url: string
  drop(): Promise<void>
}

const mayBeLeftOut = process.env.REQUIRE_ALL !== '1'
const isThere = await answers()
if (!isThere && mayBeLeftOut) console.warn('left out: the tests on PostgreSQL, as none answers on this machine')

/** Tests on PostgreSQL. Without one they are left out and counted as such; with REQUIRE_ALL=1 they fail. */
export function describeOnPostgres(title: string, body: () => void): void {
  describe.skipIf(!isThere && mayBeLeftOut)(title, body)
}

export async function makeDatabase(): Promise<TestDatabase> {
  const name = `guildhall_test_${randomUUID().replaceAll('-', '')}`
  const client = new pg.Client({ connectionString: SERVER })
  await client.connect()
  await client.query(`CREATE DATABASE ${name}`)
  await client.end()
  const url = new URL(SERVER)
  url.pathname = `/${name}`
  return {
    url: url.href,
    async drop() {
      const last = new pg.Client({ connectionString: SERVER })
      await last.connect()
      await last.query(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`)
      await last.end()
    },
  }
}

async function answers(): Promise<boolean> {
  const client = new pg.Client({ connectionString: SERVER, connectionTimeoutMillis: 2000 })
  try {
    await client.connect()
    await client.end()
    return true
  } catch {
    return false
  }
}
