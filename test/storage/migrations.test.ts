// What Guildhall finds in a database at its start: older schemas of its own, and tables of the application.
import { copyFileSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, dirname, join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { describe, expect, onTestFinished, test } from 'vitest'
import { migrations } from '../../src/storage/migrations.ts'
import { openDatabase } from '../../src/storage/open.ts'
import { SCHEMA_VERSION } from '../../src/storage/schema-state.ts'
import { inDatabase } from '../support/database-inspector.ts'
import { describeOnPostgres, makeDatabase, onServer } from '../support/postgres.ts'
import { openSite, type Site } from '../support/site.ts'

/** One SQLite file and one dump of each version, with a member who can log in. A new version adds its two; none is ever edited. */
const FIXTURES = join(import.meta.dirname, 'fixtures')
const MEMBER = { username: 'anna', password: 'violet otter lantern' }

function newFile(): string {
  const folder = mkdtempSync(join(tmpdir(), 'guildhall-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  return join(folder, 'members.db')
}

async function newDatabase(): Promise<string> {
  const { url, drop } = await makeDatabase()
  onTestFinished(drop)
  return url
}

/** What both engines understand. */
const UNRELEASED = `
  CREATE TABLE users (id text PRIMARY KEY, username text, username_key text, credential_epoch bigint);
  CREATE TABLE credentials (id text PRIMARY KEY, user_id text, kind text, value text, changed_at bigint);
  CREATE TABLE sessions (hash text PRIMARY KEY, public_id text, data text, idle_ms bigint);
`
const APPLICATION = `
  CREATE TABLE users (id integer PRIMARY KEY, username text, email text);
  CREATE TABLE sessions (sid text PRIMARY KEY, sess text);
  INSERT INTO users VALUES (1, 'theirs', 'theirs@example.org');
`

function schema(row: string): string {
  return `CREATE TABLE guildhall_schema (version integer NOT NULL, copying text); INSERT INTO guildhall_schema VALUES (${row})`
}

async function onFile(sql: string): Promise<string> {
  const file = newFile()
  const database = new DatabaseSync(file)
  database.exec(sql)
  database.close()
  return `sqlite:${file}`
}

async function onPostgres(sql: string): Promise<string> {
  const url = await newDatabase()
  await onServer(sql, url)
  return url
}

async function opened(options: { readonly database: string }): Promise<Site> {
  const site = await openSite(options)
  onTestFinished(() => site.close())
  return site
}

async function logIn(site: Site): Promise<number> {
  return (await site.visitor().api('/login', MEMBER)).status
}

test('the numbers of migrations go up by one', () => {
  expect(migrations.map(({ number }) => number)).toEqual(migrations.map((_, index) => index + 1))
  expect(SCHEMA_VERSION).toBe(migrations.length)
})

test('of every version there is a database', () => {
  const numbers = migrations.map(({ number }) => number)
  expect(readdirSync(FIXTURES).toSorted()).toEqual(numbers.flatMap((n) => [`schema-${n}.db`, `schema-${n}.sql`]).toSorted())
})

function migrationTests(make: (sql: string) => Promise<string>): void {
  test('tables of the application live beside ours, untouched', async () => {
    const database = await make(APPLICATION)
    const site = await opened({ database })
    await site.membership.users.create(MEMBER)
    expect(await logIn(site)).toBe(200)
    expect(await inDatabase({ database }, 'SELECT * FROM users')).toEqual([
      { id: 1, username: 'theirs', email: 'theirs@example.org' },
    ])
    expect(await inDatabase({ database }, 'SELECT * FROM sessions')).toEqual([])
  })

  test('a database of before the first release is refused, at the start and at the check, and stays as it is', async () => {
    const database = await make(UNRELEASED)
    const db = openDatabase(database)
    onTestFinished(() => db.close())
    const refusal = { code: 'schema_unreleased', message: expect.stringContaining('use a new database') }
    await expect(db.check()).rejects.toMatchObject(refusal)
    await expect(db.migrate()).rejects.toMatchObject(refusal)
  })

  test.each<[string, string, string]>([
    ['of a newer program, without the users of today', schema('7, NULL'), 'schema_newer'],
    ['that a copy has begun', schema("1, 'sqlite:old.db'"), 'schema_copying'],
    ['whose users are gone', schema('1, NULL'), 'schema_foreign'],
    ['with users that are not ours', 'CREATE TABLE guildhall_users (id text)', 'schema_foreign'],
    ['with sessions that are not ours', 'CREATE TABLE guildhall_sessions (sid text)', 'schema_foreign'],
    ['with a table of versions that is not ours', 'CREATE TABLE guildhall_schema (name text)', 'schema_foreign'],
    [
      'with users and an empty table of versions',
      `${schema('1, NULL')}; DELETE FROM guildhall_schema; CREATE TABLE guildhall_users (id text)`,
      'schema_foreign',
    ],
  ])('a database %s is refused in words, and stays as it is', async (_, sql, code) => {
    const database = await make(sql)
    const [table = ''] = /guildhall_\w+/.exec(sql) ?? []
    const before = await inDatabase({ database }, `SELECT * FROM ${table}`)
    const db = openDatabase(database)
    onTestFinished(() => db.close())
    await expect(db.check()).rejects.toMatchObject({ name: 'OtherSchemaError', code })
    await expect(db.migrate()).rejects.toMatchObject({ name: 'OtherSchemaError', code })
    expect(await inDatabase({ database }, `SELECT * FROM ${table}`)).toEqual(before)
  })

  test('a database with an empty table of versions alone gets our tables', async () => {
    const db = openDatabase(await make(`${schema('1, NULL')}; DELETE FROM guildhall_schema`))
    onTestFinished(() => db.close())
    await db.migrate()
    await db.check()
  })

  test('a copy that is not finished is not served', async () => {
    const database = await make('')
    const db = openDatabase(database)
    onTestFinished(() => db.close())
    await db.migrate()
    await inDatabase({ database }, "UPDATE guildhall_schema SET copying = 'sqlite:old.db'")
    const refusal = { code: 'schema_copying', message: expect.stringContaining('unfinished copy of sqlite:old.db') }
    await expect(db.check()).rejects.toMatchObject(refusal)
    await expect(db.migrate()).rejects.toMatchObject(refusal)
  })
}

describe('on SQLite', () => {
  migrationTests(onFile)

  test.each<[string, string]>([
    ['of before the first release', UNRELEASED],
    ['of a newer program', `${schema('7, NULL')}; CREATE TABLE guildhall_users (id text)`],
    ['that a copy has begun', schema("1, 'sqlite:old.db'")],
    ['with users that are not ours', 'CREATE TABLE guildhall_users (id text)'],
  ])('a refused file %s stays byte for byte as it is, and nothing is left beside it', async (_, sql) => {
    const database = await onFile(sql)
    const file = database.slice('sqlite:'.length)
    const before = readFileSync(file)
    const db = openDatabase(database)
    await expect(db.check()).rejects.toMatchObject({ name: 'OtherSchemaError' })
    await expect(db.migrate()).rejects.toMatchObject({ name: 'OtherSchemaError' })
    await db.close()
    expect(readFileSync(file).equals(before)).toBe(true)
    expect(readdirSync(dirname(file))).toEqual([basename(file)])
  })

  test('a file that was put back without a WAL stays so when it is looked at, and gets one again at the start', async () => {
    const database = await onFile('')
    const first = openDatabase(database)
    await first.migrate()
    await first.close()
    await inDatabase({ database }, 'PRAGMA journal_mode = DELETE')
    const db = openDatabase(database)
    onTestFinished(() => db.close())
    await db.check()
    expect(await inDatabase({ database }, 'PRAGMA journal_mode')).toEqual([{ journal_mode: 'delete' }])
    await db.migrate()
    expect(await inDatabase({ database }, 'PRAGMA journal_mode')).toEqual([{ journal_mode: 'wal' }])
  })

  test.each([0, 1, 2, 3, 999])('a file that its application numbers %i keeps its number and gets our tables', async (number) => {
    const database = await onFile(`PRAGMA user_version = ${number}; CREATE TABLE notes (text)`)
    const db = openDatabase(database)
    onTestFinished(() => db.close())
    await expect(db.check()).rejects.toMatchObject({ code: 'schema_older' })
    await db.migrate()
    await db.check()
    expect(await inDatabase({ database }, 'PRAGMA user_version')).toEqual([{ user_version: number }])
    expect(await inDatabase({ database }, 'SELECT count(*) AS n FROM guildhall_users')).toEqual([{ n: 0 }])
  })

  test.each(migrations)('a file of schema $number comes up to date, and its member logs in', async ({ number }) => {
    const file = newFile()
    copyFileSync(join(FIXTURES, `schema-${number}.db`), file)
    const site = await opened({ database: `sqlite:${file}` })
    expect(await logIn(site)).toBe(200)
  })
})

describeOnPostgres('on PostgreSQL', () => {
  migrationTests(onPostgres)

  test('a site whose search path goes on to the schema of another site has members of its own', async () => {
    const url = await newDatabase()
    const there = await opened({ database: url })
    await there.membership.users.create(MEMBER)
    await onServer('CREATE SCHEMA site_b', url)
    const b = `${url}?options=${encodeURIComponent('-c search_path=site_b,public')}`
    const db = openDatabase(b)
    onTestFinished(() => db.close())
    await expect(db.check()).rejects.toMatchObject({ code: 'schema_older' })
    const here = await opened({ database: b })
    expect(await logIn(here)).toBe(401)
    await here.membership.users.create({ ...MEMBER, username: 'otto' })
    expect(await inDatabase({ database: url }, 'SELECT username FROM public.guildhall_users')).toEqual([{ username: 'anna' }])
  })

  test.each(migrations)('a database of schema $number comes up to date, and its member logs in', async ({ number }) => {
    const database = await onPostgres(readFileSync(join(FIXTURES, `schema-${number}.sql`), 'utf8'))
    const site = await opened({ database })
    expect(await logIn(site)).toBe(200)
  })
})
