// A database of an older version comes along: nobody is lost, nobody has to log in again.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { expect, onTestFinished, test } from 'vitest'
import { migrations, SCHEMA_VERSION } from '../../src/storage/migrations.ts'
import { openSqlite } from '../../src/storage/sqlite/database.ts'
import { compilerFor } from '../../src/storage/statement.ts'
import { findUserById, setLocale } from '../../src/storage/users.ts'

/** A database file as the version of this number left it, with a user who is logged in. */
function databaseOf(version: number): string {
  const folder = mkdtempSync(join(tmpdir(), 'guildhall-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  const file = join(folder, 'members.db')
  const database = new DatabaseSync(file)
  for (const migration of migrations.slice(0, version))
    for (const statement of migration.statements(compilerFor('sqlite'))) database.exec(statement.compile().sql)
  database.exec(`
    PRAGMA user_version = ${version};
    INSERT INTO users (id, username, username_key, display_name, status, credential_epoch, roles, created_at)
      VALUES ('u1', 'Anna', 'anna', 'Anna B', 'active', 1, '["admin"]', 1000);
    INSERT INTO sessions (hash, public_id, data, created_at, last_seen_at, idle_ms, expires_at, ends_at, persistent, user_id, credential_epoch)
      VALUES ('h1', 'p1', '{}', 1000, 1000, 1000, 2000, 3000, 0, 'u1', 1);
  `)
  database.close()
  return file
}

test('the numbers of migrations go up by one', () => {
  expect(migrations.map(({ number }) => number)).toEqual(migrations.map((_, index) => index + 1))
  expect(SCHEMA_VERSION).toBe(migrations.length)
})

test.each(migrations.slice(0, -1))(
  'a database of schema $number is refused until it is migrated, and keeps everybody',
  async ({ number }) => {
    const db = openSqlite(databaseOf(number))
    await expect(db.check()).rejects.toMatchObject({
      code: 'schema_older',
      version: number,
      message: expect.stringContaining('not migrated'),
    })
    await db.migrate()
    await db.check()
    const user = { id: 'u1', username: 'Anna', displayName: 'Anna B', roles: ['admin'], createdAt: 1000, locale: undefined }
    expect(await db.sessions.find('h1')).toMatchObject({ publicId: 'p1', user })
    await db.write(setLocale, { id: 'u1', locale: 'zh-TW' })
    expect(await db.sessions.find('h1')).toMatchObject({ user: { ...user, locale: 'zh-TW' } })
    expect(await db.first(findUserById, { id: 'u1' })).toMatchObject({ username: 'Anna', locale: 'zh-TW' })
    await db.migrate()
    await db.close()
  },
)

test('a database of a newer program is refused, and stays as it is', async () => {
  const file = databaseOf(SCHEMA_VERSION)
  const newer = new DatabaseSync(file)
  newer.exec('PRAGMA user_version = 999')
  newer.close()
  const db = openSqlite(file)
  const refusal = { code: 'schema_newer', version: 999, message: expect.stringContaining('start the newer program') }
  await expect(db.check()).rejects.toMatchObject(refusal)
  await expect(db.migrate()).rejects.toMatchObject(refusal)
  await db.close()
})
