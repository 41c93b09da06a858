// Behind pgbouncer in transaction mode: the database contract, and nothing left behind in a shared connection.
import pg from 'pg'
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest'
import { openPostgres } from '../../src/storage/postgres/database.ts'
import { siteOfTest } from '../support/artifacts.ts'
import { inDatabase } from '../support/database-inspector.ts'
import { memberOf, statusWith } from '../support/members.ts'
import { describeBehindPgbouncer, Pgbouncer, SERVER_CONNECTIONS } from '../support/pgbouncer.ts'
import { makeDatabase } from '../support/postgres.ts'
import { post, run, startServer } from '../support/server.ts'
import { GOOD_PASSWORD } from '../support/visitor.ts'
import { databaseContract } from './database-contract.ts'

describeBehindPgbouncer('behind pgbouncer', () => {
  let pgbouncer: Pgbouncer

  beforeAll(async () => {
    pgbouncer = await Pgbouncer.start()
  })
  afterAll(() => pgbouncer.close())

  async function databaseOfTest(): Promise<{ readonly setting: string; readonly direct: string }> {
    const { url, drop } = await makeDatabase()
    onTestFinished(drop)
    return { setting: pgbouncer.urlOf(url), direct: url }
  }

  databaseContract(async () => {
    const { url, drop } = await makeDatabase()
    return { setting: pgbouncer.urlOf(url), remove: drop }
  })

  test('people register, log in, are listed, end their other sessions and log out, in two processes', async () => {
    const { setting } = await databaseOfTest()
    const site = await siteOfTest({ database: setting })
    const second = await siteOfTest({ database: setting })
    const { visitor, id } = await memberOf(site, 'anna')
    expect(await statusWith(second, id)).toBe(200)
    const other = second.visitor()
    expect((await other.logIn('anna')).status).toBe(200)
    expect(await site.membership.users.sessions('anna')).toHaveLength(2)
    expect((await visitor.api('/account/sessions/end-others', {})).status).toBe(204)
    expect((await other.api('/profile')).status).toBe(401)
    expect((await visitor.api('/logout', {})).status).toBe(204)
    expect([await statusWith(site, id), await statusWith(second, id)]).toEqual([401, 401])
  })

  test('many who come at once share a few connections, and nobody sees what is another’s', async () => {
    const { setting, direct } = await databaseOfTest()
    const site = await siteOfTest({ database: setting })
    const names = Array.from({ length: 40 }, (_, number) => `person-${number}`)
    const profiles = names.map(async (name) => {
      const visitor = site.visitor()
      expect((await visitor.register(name)).status).toBe(201)
      return (await visitor.api('/profile')).json<{ user: { username: string } }>().user.username
    })
    expect(await Promise.all(profiles)).toEqual(names)
    const sql = 'SELECT count(*) AS n FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()'
    const [row] = await inDatabase({ database: direct }, sql)
    expect(Number(row?.n)).toBeLessThanOrEqual(SERVER_CONNECTIONS)
  })

  test('no setting and no prepared statement stays behind for the next user of the connection', async () => {
    const { setting } = await databaseOfTest()
    const site = await siteOfTest({ database: setting })
    await memberOf(site, 'anna')
    const client = new pg.Client({ connectionString: setting })
    await client.connect()
    onTestFinished(() => client.end())
    const left = async () => {
      const { rows } =
        await client.query(`SELECT current_setting('statement_timeout') AS statement, current_setting('lock_timeout') AS lock,
        current_setting('idle_in_transaction_session_timeout') AS idle, current_setting('synchronous_commit') AS commit,
        (SELECT count(*)::int FROM pg_prepared_statements) AS prepared`)
      return rows[0]
    }
    for (let round = 0; round < 3 * SERVER_CONNECTIONS; round++) {
      expect(await left()).toEqual({ statement: '0', lock: '0', idle: '0', commit: 'on', prepared: 0 })
    }
  })

  test('F-11 a statement behind a lock is told to give up by way of pgbouncer too', async () => {
    const { setting, direct } = await databaseOfTest()
    const db = openPostgres(setting)
    onTestFinished(() => db.close())
    await db.migrate()
    const somebody = new pg.Client({ connectionString: direct })
    await somebody.connect()
    onTestFinished(() => somebody.end())
    await somebody.query('BEGIN; LOCK TABLE guildhall_sessions IN ACCESS EXCLUSIVE MODE')
    await expect(db.sessions.find('nobody')).rejects.toMatchObject({ code: 'store_unavailable' })
    const sql = "SELECT count(*) AS n FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
    await expect.poll(async () => Number((await inDatabase({ database: direct }, sql))[0]?.n)).toBe(0)
    await somebody.query('ROLLBACK')
    await expect.poll(async () => (await Promise.allSettled([db.sessions.find('nobody')]))[0].status).toBe('fulfilled')
  })

  test('a server migrates an empty database, and the command line works on it', async () => {
    const { setting } = await databaseOfTest()
    const server = await startServer({ env: { DATABASE_URL: setting } })
    expect((await post(server, '/api/register', { username: 'anna', password: GOOD_PASSWORD })).status).toBe(201)
    const listed = await run(['sessions', 'list', 'anna', '--json'], { env: { DATABASE_URL: setting } })
    expect(JSON.parse(listed.stdout)).toHaveLength(1)
    expect((await run(['migrate'], { env: { DATABASE_URL: setting } })).code).toBe(0)
  })
})
