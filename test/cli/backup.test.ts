// `guildhall backup` and `restore`: refused ones, killed ones, and those of a damaged database.
import { spawn } from 'node:child_process'
import {
  chmodSync,
  copyFileSync,
  cpSync,
  existsSync,
  linkSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { setTimeout as after } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { migrations } from '../../src/storage/migrations.ts'
import { CREATE_SCHEMA_TABLE, SCHEMA_VERSION } from '../../src/storage/schema-state.ts'
import { BIN, newFolder, post, run, startServer } from '../support/server.ts'

const CHEAP = { HASH_MEMORY_KIB: '1024', HASH_PASSES: '1' }
const DATABASE = 'data/guildhall.db'
const password = 'violet harbour lantern'
const made = mkdtempSync(join(tmpdir(), 'guildhall-test-'))
beforeAll(async () => {
  await run(['user', 'create', 'anna', '--password-stdin'], { folder: made, env: CHEAP, stdin: password })
})
afterAll(() => rmSync(made, { recursive: true, force: true }))

const OTHER_PAGES = 'PRAGMA journal_mode = DELETE; PRAGMA page_size = 8192; VACUUM; PRAGMA journal_mode = WAL'

test('F-47 a copy is made and put back while the site runs; what was there is kept, and everybody is logged out', async () => {
  const folder = folderWithAnna()
  const server = await startServer({ folder })
  const login = await post(server, '/api/login', { username: 'anna', password })
  const cookie = String(login.headers['set-cookie']).split(';')[0] ?? ''
  const copy = join(folder, 'copy.db')
  expect(await run(['backup', copy], { folder })).toMatchObject({ code: 0 })
  expect(statSync(copy).mode & 0o777).toBe(0o600)
  await post(server, '/api/register', { username: 'later', password })

  expect((await run(['restore', copy], { folder })).code).toBe(2)
  const restored = await run(['restore', copy, '--yes', '--json'], { folder })
  expect(restored.code).toBe(0)
  const { kept }: { kept: string } = JSON.parse(restored.stdout)
  expect(existsSync(join(folder, kept)) || existsSync(kept)).toBe(true)

  const names = JSON.parse((await run(['user', 'list', '--json'], { folder })).stdout).map(
    ({ username }: { username: string }) => username,
  )
  expect(names).toEqual(['anna'])
  expect((await fetch(`${server.url}/api/profile`, { headers: { cookie } })).status).toBe(401)
  expect((await post(server, '/api/login', { username: 'anna', password })).status).toBe(200)
  expect((await post(server, '/api/login', { username: 'later', password })).status).toBe(401)
})

test('a copy never writes over a file', async () => {
  const folder = folderWithAnna()
  const taken = join(folder, 'taken.db')
  writeFileSync(taken, 'precious')
  expect((await run(['backup', taken], { folder })).code).toBe(1)
  expect(readFileSync(taken, 'utf8')).toBe('precious')
})

test('a copy is put back where there is no database yet', async () => {
  const folder = folderWithAnna()
  const copy = join(folder, 'copy.db')
  await run(['backup', copy], { folder })
  const fresh = newFolder()
  expect((await run(['restore', copy, '--yes'], { folder: fresh })).code).toBe(0)
  expect((await run(['user', 'list'], { folder: fresh })).stdout).toContain('anna')
  expect(readdirSync(fresh).filter((name) => name.includes('before'))).toEqual([])
})

test('a copy is for its owner alone, is one file, and reading it leaves nothing beside it', async () => {
  const folder = folderWithAnna()
  await startServer({ folder })
  expect(await run(['backup', 'copy.db'], { folder, umask: 0 })).toMatchObject({ code: 0, stderr: '' })
  expect(statSync(join(folder, 'copy.db')).mode & 0o777).toBe(0o600)
  expect((await run(['restore', 'copy.db', '--yes'], { folder })).code).toBe(0)
  expect(readdirSync(folder).toSorted()).toEqual(['copy.db', 'data'])
  expect(inFile(join(folder, 'copy.db'), 'PRAGMA journal_mode')).toEqual([{ journal_mode: 'delete' }])
})

test('of a damaged database no copy is made', async () => {
  const folder = folderWithAnna()
  damage(join(folder, DATABASE))
  const { code, stderr } = await run(['backup', 'copy.db'], { folder })
  expect([code, stderr]).toEqual([1, expect.stringMatching(/^\.\/data\/guildhall\.db is no SQLite database, or is damaged.*\n$/)])
  expect(readdirSync(folder)).toEqual(['data'])
})

test.each<[string, string, string]>([
  ['of a newer program', 'UPDATE guildhall_schema SET version = 7', 'The database has schema 7, this program knows'],
  ['that is an unfinished copy', "UPDATE guildhall_schema SET copying = 'sqlite:old.db'", 'an unfinished copy of sqlite:old.db'],
  ['whose tables are not ours', 'DELETE FROM guildhall_schema', 'that no Guildhall left so'],
])('of a database %s no copy is made, as none could be put back', async (_, sql, words) => {
  const folder = folderWithAnna()
  inFile(join(folder, DATABASE), sql)
  const { code, stdout, stderr } = await run(['backup', 'copy.db'], { folder })
  expect([code, stdout, stderr]).toEqual([1, '', expect.stringContaining(words)])
  expect(readdirSync(folder)).toEqual(['data'])
})

test.each<[string, string, string]>([
  [
    'of before the first release',
    'CREATE TABLE users (username_key, credential_epoch); CREATE TABLE credentials (changed_at); CREATE TABLE sessions (public_id, idle_ms)',
    'from before the first release',
  ],
  ['without our tables', 'CREATE TABLE notes (text)', 'run guildhall migrate'],
])('of a file %s no copy is made', async (_, sql, words) => {
  const folder = newFolder()
  inFile(join(folder, 'site.db'), sql)
  const { code, stderr } = await run(['backup', 'copy.db'], { folder, env: { DATABASE_URL: 'sqlite:./site.db' } })
  expect([code, stderr]).toEqual([1, expect.stringContaining(words)])
  expect(readdirSync(folder)).toEqual(['site.db'])
})

describe('a restore that is refused changes nothing, leaves no file and asks nothing', () => {
  test.each<[string, RegExp, (folder: string, copy: string) => void]>([
    ['that is not there', /^There is no file copy\.db\./, () => {}],
    ['that is a letter', /no sound copy/, (_, copy) => writeFileSync(copy, 'Dear friend, '.repeat(1000))],
    ['that is empty', /no sound copy/, (_, copy) => writeFileSync(copy, '')],
    ['of another program', /no sound copy/, (_, copy) => inFile(copy, 'CREATE TABLE notes (text); PRAGMA user_version = 1')],
    ['that lost its end', /no sound copy/, (folder, copy) => truncateSync(copied(folder, copy), 40_960)],
    ['with a page of nonsense', /no sound copy/, (folder, copy) => damage(copied(folder, copy))],
    [
      'of a newer program',
      /newer Guildhall/,
      (folder, copy) => inFile(copied(folder, copy), 'UPDATE guildhall_schema SET version = 999'),
    ],
    ['that is the database itself', /the database itself/, (folder, copy) => linkSync(join(folder, DATABASE), copy)],
  ])('a file %s', async (_, said, make) => {
    const folder = folderWithAnna()
    make(folder, join(folder, 'copy.db'))
    const before = everything(folder)
    const { code, stdout, stderr } = await run(['restore', 'copy.db'], { folder })
    expect([code, stdout, stderr]).toEqual([1, '', expect.stringMatching(said)])
    expect(stderr).toMatch(/[Nn]othing was changed\.\n$/)
    expect(everything(folder)).toEqual(before)
  })

  test.each([
    [
      'a trigger that makes every user an administrator at login',
      `CREATE TRIGGER promote AFTER INSERT ON guildhall_sessions BEGIN UPDATE guildhall_users SET roles = '["admin"]'; END`,
      'the trigger promote',
    ],
    [
      'a trigger of that kind on a table of the application',
      `CREATE TABLE notes (text); CREATE TRIGGER promote AFTER INSERT ON notes BEGIN UPDATE "GUILDHALL_users" SET roles = '["admin"]'; END`,
      'the trigger promote',
    ],
    ['a view that shows hashes', 'CREATE VIEW members AS SELECT data FROM guildhall_credentials', 'the view members'],
    ['an index that runs', 'CREATE INDEX fast ON guildhall_users (lower(username))', 'the index fast'],
    ['a table under a name of ours', 'CREATE TABLE guildhall_extra (text)', 'the table guildhall_extra'],
    [
      'an index of ours taken away',
      'DROP INDEX guildhall_credentials_one_password',
      'no index guildhall_credentials_one_password',
    ],
    ['a generated column', `ALTER TABLE guildhall_users ADD COLUMN admin text AS ('["admin"]')`, 'the table guildhall_users'],
    [
      'a default that makes everybody an administrator',
      `PRAGMA writable_schema = ON; UPDATE sqlite_schema SET sql = replace(sql, 'roles text NOT NULL', 'roles text NOT NULL DEFAULT ''["admin"]''') WHERE name = 'guildhall_users'`,
      'the table guildhall_users',
    ],
  ])('a file to which somebody has added %s', async (_, sql, what) => {
    const folder = folderWithAnna()
    inFile(copied(folder, join(folder, 'copy.db')), sql)
    const before = everything(folder)
    const { code, stdout, stderr } = await run(['restore', 'copy.db', '--yes'], { folder })
    expect([code, stdout, stderr]).toEqual([1, '', expect.stringContaining(`copy.db has ${what}`)])
    expect(stderr).toMatch(/Nothing was changed\.\n$/)
    expect(everything(folder)).toEqual(before)
  })

  test('a file that this user may not read', async () => {
    const folder = folderWithAnna()
    chmodSync(copied(folder, join(folder, 'copy.db')), 0)
    chmodSync(folder, 0o755)
    chmodSync(join(folder, 'data'), 0o755)
    const preload = 'process.getuid() === 0 && process.setuid(65534)'
    const { code, stderr } = await run(['restore', 'copy.db', '--yes'], { folder, preload })
    expect([code, stderr]).toEqual([1, 'copy.db cannot be read: give this user the right to. Nothing was changed.\n'])
  })

  test('while another program holds the database', async () => {
    const folder = folderWithAnna()
    copied(folder, join(folder, 'copy.db'))
    const holder = new DatabaseSync(join(folder, DATABASE))
    onTestFinished(() => holder.close())
    holder.exec('BEGIN IMMEDIATE')
    const before = readdirSync(join(folder, 'data'))
    const { code, stderr } = await run(['restore', 'copy.db', '--yes'], { folder })
    expect([code, stderr]).toEqual([1, expect.stringContaining('is locked by another program')])
    expect(readdirSync(join(folder, 'data'))).toEqual(before)
  })
})

describe('what was there before does not keep a good copy from being restored', () => {
  const names = async (folder: string) =>
    JSON.parse((await run(['user', 'list', '--json'], { folder })).stdout).map(({ username }: { username: string }) => username)

  test.each<[string, (folder: string) => void]>([
    ['a database of a newer program', (folder) => inFile(join(folder, DATABASE), 'UPDATE guildhall_schema SET version = 999')],
    ['a letter', (folder) => writeFileSync(join(folder, DATABASE), 'Dear friend, '.repeat(1000))],
    ['an empty file', (folder) => truncateSync(join(folder, DATABASE), 0)],
    ['a damaged database', (folder) => damage(join(folder, DATABASE))],
    ['a database with other pages', (folder) => inFile(join(folder, DATABASE), OTHER_PAGES)],
  ])('%s', async (_, spoil) => {
    const folder = folderWithAnna()
    copied(folder, join(folder, 'copy.db'))
    spoil(folder)
    const before = readFileSync(join(folder, DATABASE))
    const { code, stdout, stderr } = await run(['restore', 'copy.db', '--yes', '--json'], { folder })
    expect([code, stderr]).toEqual([0, ''])
    const { kept }: { kept: string } = JSON.parse(stdout)
    if (before.toString('latin1').startsWith('Dear')) expect(readFileSync(join(folder, kept))).toEqual(before)
    expect(statSync(join(folder, kept)).mode & 0o777).toBe(0o600)
    expect(await names(folder)).toEqual(['anna'])
    expect((await run(['doctor'], { folder, env: CHEAP })).code).toBe(0)
  })

  test('the rest of a database that somebody took away', async () => {
    const folder = folderWithAnna()
    const database = join(folder, DATABASE)
    copied(folder, join(folder, 'copy.db'))
    const holder = new DatabaseSync(database)
    holder.exec("UPDATE guildhall_users SET username = 'otto', username_key = 'otto'")
    const rest = readFileSync(`${database}-wal`)
    holder.close()
    rmSync(database)
    writeFileSync(`${database}-wal`, rest)
    expect((await run(['restore', 'copy.db', '--yes'], { folder })).code).toBe(0)
    expect(await names(folder)).toEqual(['anna'])
  })
})

test('what is the application’s own comes back with its members; of what a restore would refuse the backup says so', async () => {
  const folder = folderWithAnna()
  const own = `CREATE TABLE notes (text, author text REFERENCES guildhall_users (id)); CREATE INDEX by_text ON notes (lower(text));
    CREATE TABLE log (text); CREATE VIEW latest AS SELECT * FROM notes; INSERT INTO notes (text) VALUES ('mine');
    CREATE TRIGGER noted AFTER INSERT ON notes BEGIN INSERT INTO log VALUES (new.text); END`
  inFile(join(folder, DATABASE), own)
  expect(await run(['backup', 'copy.db'], { folder })).toMatchObject({ code: 0, stderr: '' })
  expect(await run(['restore', 'copy.db', '--yes'], { folder })).toMatchObject({ code: 0, stderr: '' })
  expect(inFile(join(folder, DATABASE), 'SELECT text FROM latest')).toEqual([{ text: 'mine' }])
  inFile(join(folder, DATABASE), 'CREATE VIEW members AS SELECT username FROM guildhall_users')
  const { code, stderr } = await run(['backup', 'other.db'], { folder })
  expect([code, stderr]).toEqual([0, expect.stringContaining('restore will refuse other.db because of the view members')])
})

test('a copy of an older program comes back up to date', async () => {
  const folder = folderWithAnna()
  const old = new DatabaseSync(join(folder, 'old.db'))
  for (const statement of migrations[0]?.statements ?? []) old.exec(statement)
  old.exec(`${CREATE_SCHEMA_TABLE}; INSERT INTO guildhall_schema (version) VALUES (1)`)
  old.close()
  expect((await run(['restore', 'old.db', '--yes'], { folder })).code).toBe(0)
  expect(inFile(join(folder, DATABASE), 'SELECT version FROM guildhall_schema')).toEqual([{ version: SCHEMA_VERSION }])
  expect((await run(['user', 'list'], { folder })).stdout).toBe('Nobody has an account yet.\n')
})

describe('kill -9', () => {
  test('in the middle of a restore leaves the old database or the new one, and never a half', async () => {
    const folder = folderWithAnna()
    fill(join(folder, DATABASE), 'old')
    await run(['backup', 'copy.db'], { folder })
    inFile(join(folder, 'copy.db'), "UPDATE guildhall_audit SET outcome = 'new'")
    const server = await startServer({ folder })
    const outcomes = new Set<unknown>()
    for (let round = 0; round < 8; round++) {
      inFile(join(folder, DATABASE), "UPDATE guildhall_audit SET outcome = 'old'")
      await killed(['restore', 'copy.db', '--yes'], folder, 'data', /before-restore-[\d-]+$/, round * 8)
      const found = inFile(join(folder, DATABASE), 'SELECT DISTINCT outcome FROM guildhall_audit')
      expect(found).toHaveLength(1)
      outcomes.add(found[0]?.outcome)
      expect(inFile(join(folder, DATABASE), 'PRAGMA integrity_check')).toEqual([{ integrity_check: 'ok' }])
      for (const name of readdirSync(join(folder, 'data')))
        if (/restore|unfinished/.test(name)) rmSync(join(folder, 'data', name))
    }
    expect(outcomes).toContain('old')
    expect((await post(server, '/api/login', { username: 'anna', password })).status).toBe(200)
  })

  test('in the middle of a backup leaves no file of its name, and the next one is whole', async () => {
    const folder = folderWithAnna()
    fill(join(folder, DATABASE), 'old')
    await killed(['backup', 'copy.db'], folder, '.', /unfinished-/, 5)
    const left = readdirSync(folder).filter((name) => name !== 'data')
    expect(left).not.toContain('copy.db')
    for (const name of left)
      expect([name, statSync(join(folder, name)).mode & 0o777]).toEqual([expect.stringContaining('copy.db.unfinished-'), 0o600])
    expect((await run(['backup', 'copy.db'], { folder })).code).toBe(0)
    expect(inFile(join(folder, 'copy.db'), 'PRAGMA integrity_check')).toEqual([{ integrity_check: 'ok' }])
  })
})

/** A site of one member: made once, then copied. */
function folderWithAnna(): string {
  const folder = newFolder()
  cpSync(made, folder, { recursive: true })
  return folder
}

function inFile(file: string, sql: string): readonly Record<string, unknown>[] {
  const database = new DatabaseSync(file, { timeout: 5000 })
  try {
    if (/^(?:SELECT|PRAGMA [a-z_]+$)/.test(sql))
      return database
        .prepare(sql)
        .all()
        .map((row) => ({ ...row }))
    // What writes a file by hand keeps to no rule.
    if (sql.includes('writable_schema') && 'enableDefensive' in database) database.enableDefensive(false)
    database.exec(sql)
    return []
  } finally {
    database.close()
  }
}

/** A copy of the database that nobody uses; gives back its path. */
function copied(folder: string, to: string): string {
  copyFileSync(join(folder, DATABASE), to)
  return to
}

/** Damage in the middle, which the header does not show. */
function damage(file: string): void {
  const content = readFileSync(file)
  content.fill(0xab, 4096, 5 * 4096)
  writeFileSync(file, content)
}

/** Makes the database large enough to be killed over. */
function fill(file: string, outcome: string): void {
  inFile(
    file,
    `WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20000)
     INSERT INTO guildhall_audit (id, at, event, outcome, user_agent, quiet) SELECT 'a' || i, i, 'login', '${outcome}', hex(randomblob(400)), 0 FROM n`,
  )
}

/** Every name below the folder with what is in it. */
function everything(folder: string): readonly (readonly [string, string])[] {
  const names = readdirSync(folder, { recursive: true, encoding: 'utf8' }).toSorted()
  return names
    .filter((name) => statSync(join(folder, name)).isFile())
    .map((name) => [name, readFileSync(join(folder, name), 'base64')])
}

/** Runs a command and kills it so many milliseconds after a file of this name appears. */
async function killed(args: readonly string[], folder: string, where: string, name: RegExp, ms: number): Promise<void> {
  const child = spawn(process.execPath, [BIN, ...args], { cwd: folder, env: { PATH: process.env.PATH }, stdio: 'ignore' })
  const ended = new Promise((resolve) => child.on('exit', resolve))
  while (child.exitCode === null && !readdirSync(join(folder, where)).some((file) => name.test(file))) await after(1)
  await after(ms)
  child.kill('SIGKILL')
  await ended
}
