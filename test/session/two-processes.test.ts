// A slow request in one process cannot undo a login or logout of the same person in another.
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PostgresStore } from 'guildhall/session/postgres'
import pg from 'pg'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { describeOnPostgres, makeDatabase, type TestDatabase } from '../support/postgres.ts'
import { describeOnRedis, makeRedis, type TestRedis } from '../support/redis.ts'
import { Browser, namesOf } from './support.ts'

interface Process {
  readonly child: ChildProcess
  readonly url: string
  readonly slow: readonly string[]
}

async function start(kind: string, where: string): Promise<Process> {
  const child = fork(join(import.meta.dirname, 'session-process.ts'), [kind, where], {
    execArgv: ['--conditions=guildhall-source', '--no-warnings'],
  })
  const ended = once(child, 'exit').then(([code]) => {
    throw new Error(`the process ended with ${code} before it served`)
  })
  const [{ port, slow }] = await Promise.race([once(child, 'message'), ended])
  ended.catch(() => {})
  return { child, url: `http://127.0.0.1:${port}`, slow }
}

function nobodyIsLoggedOut(kind: string, where: () => string): void {
  let slowOne: Process
  let quickOne: Process
  beforeAll(async () => {
    ;[slowOne, quickOne] = await Promise.all([start(kind, where()), start(kind, where())])
  })
  afterAll(() => {
    for (const { child } of [slowOne, quickOne]) child.disconnect()
  })

  test.each(['/login', '/logout'])(
    'D-22 somebody whose slow page runs in one process stays as %s in another left them',
    async (meanwhile) => {
      for (const what of slowOne.slow) {
        const browser = new Browser(quickOne.url)
        await browser.get('/begin')
        const { cookie, marker } = browser
        const reached = once(slowOne.child, 'message')
        const late = Object.assign(new Browser(slowOne.url), { cookie, marker }).get(`/slow/${encodeURIComponent(what)}`)
        await reached
        await browser.get(meanwhile)
        slowOne.child.send('go on')
        const { status, setCookies } = await late
        expect([what, status, setCookies]).toEqual([what, 200, []])
        expect((await browser.get('/look')).text).toBe(meanwhile === '/login' ? '"logged in"' : 'null')
        // What a logout ended stays ended, whichever process is asked.
        for (const { url } of meanwhile === '/logout' ? [slowOne, quickOne] : []) {
          expect((await Object.assign(new Browser(url), { cookie }).get('/look')).text).toBe('null')
        }
      }
    },
  )

  test('somebody whose session lives gets its cookie from both processes', async () => {
    const browser = new Browser(quickOne.url)
    await browser.get('/begin')
    for (const { url } of [slowOne, quickOne]) {
      const { text, setCookies } = await Object.assign(new Browser(url), { cookie: browser.cookie }).get('/look')
      expect([text, namesOf(setCookies)]).toEqual(['null', ['guildhall', 'guildhall-seen']])
    }
  })
}

describe('two processes on one SQLite file', () => {
  const folder = mkdtempSync(join(tmpdir(), 'guildhall-'))
  afterAll(() => rmSync(folder, { recursive: true }))
  nobodyIsLoggedOut('sqlite', () => join(folder, 'sessions.db'))
})

describeOnPostgres('two processes on PostgreSQL', () => {
  let database: TestDatabase
  beforeAll(async () => {
    database = await makeDatabase()
    const pool = new pg.Pool({ connectionString: database.url })
    await new PostgresStore({ pool }).migrate()
    await pool.end()
  })
  afterAll(() => database.drop())
  nobodyIsLoggedOut('postgres', () => database.url)
})

describeOnRedis('two processes on Redis', () => {
  let redis: TestRedis
  beforeAll(async () => {
    redis = await makeRedis()
  })
  afterAll(() => redis.drop())
  nobodyIsLoggedOut('redis', () => redis.prefix)
})
