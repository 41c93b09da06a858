// `guildhall after-restore` and `restore`: what was ended, used or sent since a copy was made does not live again.
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { inDatabase } from '../support/database-inspector.ts'
import { describeOnPostgres, makeDatabase } from '../support/postgres.ts'
import { newFolder, post, run, startServer, type TestServer, type Variables } from '../support/server.ts'

const CHEAP = { HASH_MEMORY_KIB: '1024', HASH_PASSES: '1' }
const password = 'violet harbour lantern'
const FAR = 9_999_999_999_999

/** More than one statement takes. */
const MANY = 1200

async function fill(database: string): Promise<void> {
  const sql = (text: string, ...values: readonly (string | number)[]) => inDatabase({ database }, text, ...values)
  const [user] = await sql("SELECT id FROM guildhall_users WHERE username_key = 'anna'")
  const id = String(user?.id)
  for (const [hash, endsWith] of [
    ['reset', 'credentials'],
    ['verify', 'address'],
    ['undo', 'nothing'],
  ] as const)
    await sql(
      'INSERT INTO guildhall_tokens (hash, purpose, user_id, ends_with, created_at, expires_at) VALUES (?, ?, ?, ?, 1, ?)',
      hash,
      hash,
      id,
      endsWith,
      FAR,
    )
  await sql(
    "INSERT INTO guildhall_flows (hash, number, purpose, user_id, data, created_at, expires_at) VALUES ('f', '1', 'reset', ?, '{}', 1, ?)",
    id,
    FAR,
  )
  await sql(
    `INSERT INTO guildhall_mails (id, kind, data, nonce, key_id, priority, state, due_at, created_at, expires_at)
     WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ${MANY})
     SELECT 'mail-' || i, 'reset', '{}', '', '', 1, 'waiting', ${FAR}, 1, ${FAR} FROM n`,
  )
}

async function left(database: string) {
  const count = async (table: string) =>
    Number((await inDatabase({ database }, `SELECT count(*) AS n FROM guildhall_${table}`))[0]?.n)
  const tokens = await inDatabase({ database }, 'SELECT hash FROM guildhall_tokens')
  return {
    tokens: tokens.map(({ hash }) => hash),
    sessions: await count('sessions'),
    flows: await count('flows'),
    mails: await count('mails'),
  }
}

const AFTERWARDS = { tokens: ['undo'], sessions: 0, flows: 0, mails: 0 }

async function logIn(server: TestServer): Promise<{ readonly status: number; readonly cookie: string }> {
  const { status, headers } = await post(server, '/api/login', { username: 'anna', password })
  return { status, cookie: String(headers['set-cookie']).split(';')[0] ?? '' }
}

const profile = async ({ url }: TestServer, cookie: string) => (await fetch(`${url}/api/profile`, { headers: { cookie } })).status

async function endsAll(env: Variables, database: (folder: string) => string): Promise<void> {
  const folder = newFolder()
  await run(['migrate'], { folder, env })
  expect(
    await run(['user', 'create', 'anna', '--password-stdin'], { folder, env: { ...CHEAP, ...env }, stdin: password }),
  ).toMatchObject({ code: 0 })
  const server = await startServer({ folder, env })
  const { cookie } = await logIn(server)
  expect(await profile(server, cookie)).toBe(200)
  await fill(database(folder))

  expect(await run(['after-restore'], { folder, env })).toMatchObject({ code: 2, stdout: '' })
  expect(await left(database(folder))).toMatchObject({ sessions: 1, mails: MANY })
  const { code, stdout, stderr } = await run(['after-restore', '--yes', '--json'], { folder, env })
  expect([code, stderr, JSON.parse(stdout)]).toEqual([0, '', { users: 1, sessions: 1, tokens: 2, flows: 1, mails: MANY }])
  expect(await left(database(folder))).toEqual(AFTERWARDS)
  expect(await profile(server, cookie)).toBe(401)
  expect((await logIn(server)).status).toBe(200)

  // Each time anew: somebody may put an older copy back.
  const epoch = async () =>
    Number((await inDatabase({ database: database(folder) }, 'SELECT credential_epoch AS n FROM guildhall_users'))[0]?.n)
  await inDatabase({ database: database(folder) }, 'UPDATE guildhall_users SET credential_epoch = ?', FAR)
  expect((await run(['after-restore', '--yes'], { folder, env })).stdout).toMatch(
    /^1 account must log in anew: ended are 1 session, 0 mailed links and steps, and 0 mails that waited\.\n$/,
  )
  expect(await epoch()).toBe(FAR + 1)
}

describe('F-47 after a database was put back, nobody is logged in, no mailed link works, and no mail of earlier days goes out', () => {
  const sqlite = (folder: string) => `sqlite:${join(folder, 'data/guildhall.db')}`

  test('of a file that was copied by hand', () => endsAll({}, sqlite))

  test('of a copy that restore puts back', async () => {
    const folder = newFolder()
    await run(['user', 'create', 'anna', '--password-stdin'], { folder, env: CHEAP, stdin: password })
    await fill(sqlite(folder))
    await run(['backup', 'copy.db'], { folder })
    expect(await run(['restore', 'copy.db', '--yes'], { folder })).toMatchObject({ code: 0 })
    expect(await left(sqlite(folder))).toEqual(AFTERWARDS)
  })

  test('where there is no database, none is made', async () => {
    const folder = newFolder()
    expect(await run(['after-restore', '--yes'], { folder })).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('no database'),
    })
    expect(await run(['after-restore', '--yes'], { env: { DATABASE_URL: 'sqlite::memory:' } })).toMatchObject({ code: 1 })
  })
})

describeOnPostgres('on PostgreSQL', () => {
  test('F-47 a database that pg_restore put back', async () => {
    const { url, drop } = await makeDatabase()
    try {
      await endsAll({ DATABASE_URL: url }, () => url)
    } finally {
      await drop()
    }
  })
})
