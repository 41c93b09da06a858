// Stores that cannot be used: the message names the cause and the setting to change.
import { readdirSync, symlinkSync } from 'node:fs'
import { createServer as createHttpServer } from 'node:http'
import { join } from 'node:path'
import { createServer } from 'node:tls'
import express from 'express'
import { createMembership } from 'guildhall'
import pg from 'pg'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { readDatabaseUrl } from '../../src/domain/database-url.ts'
import { selfSigned } from '../support/certificate.ts'
import { inDatabase } from '../support/database-inspector.ts'
import { describeWith } from '../support/needs.ts'
import { OwnPostgres } from '../support/own-postgres.ts'
import { OwnRedis } from '../support/own-redis.ts'
import { describeOnPostgres, makeDatabase, onServer } from '../support/postgres.ts'
import { freePort } from '../support/program.ts'
import { newFolder, run, startServer } from '../support/server.ts'
import { listen, portOf } from '../support/site.ts'

const SILENT = { debug() {}, info() {}, warn() {}, error() {} }
const CHEAP = { HASH_MEMORY_KIB: '1024', HASH_PASSES: '1' }

/** What doctor finds wrong. */
async function faultsOf(env: Readonly<Record<string, string>>, folder = newFolder()): Promise<string> {
  const { code, stdout, stderr } = await run(['doctor', '--json'], { folder, env: { ...CHEAP, ...env } })
  expect([code, stderr]).toEqual([1, ''])
  const { findings }: { findings: { mark: string; text: string }[] } = JSON.parse(stdout)
  return findings
    .filter(({ mark }) => mark === 'error')
    .map(({ text }) => text)
    .join('\n')
}

describe('one parser for database URLs', () => {
  test.each([
    'sqlite:file:members.db',
    'sqlite:file:x?mode=memory',
    'sqlite:members.db?mode=memory',
    'sqlite:FILE:x',
    'sqlite:///tmp/x',
    'sqlite::memory: ',
    'sqlite: x',
    'sqlite::shared:',
  ])('somebody who writes %s is told, in production and in development, and nothing is made', async (url) => {
    expect(readDatabaseUrl(url)).toBeUndefined()
    const folder = newFolder()
    const { code, stderr } = await run(['migrate'], { folder, env: { DATABASE_URL: url } })
    expect([code, stderr]).toEqual([1, expect.stringContaining("DATABASE_URL must be 'sqlite:PATH' (a path, no URI)")])
    expect(readdirSync(folder)).toEqual([])
  })

  test.each([
    ['sqlite:a path with spaces/and#and?.db', 'a path with spaces/and#and?.db'],
    ['sqlite:/srv/file:x.db', '/srv/file:x.db'],
    ['sqlite::memory:', undefined],
    ['POSTGRES://anna@db/members', undefined],
    ['postgres://anna:100%@db/members', undefined],
    ['postgres://anna:a%zz@db/members', undefined],
  ])('%s names a database', (url, file) => {
    expect(readDatabaseUrl(url)).toEqual({ database: url, databaseFile: file })
  })

  test('a password that pg cannot read is told at the start, and not shown', async () => {
    const { code, stderr } = await run(['migrate'], { env: { DATABASE_URL: 'postgres://anna:geheim%ff@db/members' } })
    expect([code, stderr]).toEqual([1, expect.stringContaining('DATABASE_URL must be')])
    expect(stderr).not.toContain('geheim')
  })
})

describe('on SQLite', () => {
  test('somebody whose file is a link into a folder that is gone is told where it leads', async () => {
    const folder = newFolder()
    symlinkSync('/nowhere/at/all/members.db', join(folder, 'members.db'))
    const { code, stderr } = await run(['migrate'], { folder, env: { DATABASE_URL: 'sqlite:members.db' } })
    const words = 'a link to /nowhere/at/all/members.db, whose folder is not there'
    expect([code, stderr]).toEqual([1, expect.stringContaining(words)])
    expect(await faultsOf({ DATABASE_URL: 'sqlite:members.db' }, folder)).toContain(words)
  })

  test('a disk that knows no hard links has a site, its secret and its backups', async () => {
    const folder = newFolder()
    const env = { ...CHEAP }
    const stdin = 'violet harbour lantern'
    const preload = WITHOUT_LINKS
    expect(await run(['user', 'create', 'anna', '--password-stdin', '--json'], { folder, env, stdin, preload })).toMatchObject({
      code: 0,
    })
    expect(await run(['backup', 'copy.db'], { folder, env, preload })).toMatchObject({ code: 0, stderr: '' })
    expect(await run(['backup', 'copy.db'], { folder, env, preload })).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('exists already'),
    })
    expect(await inDatabase({ database: `sqlite:${join(folder, 'copy.db')}` }, 'SELECT username FROM guildhall_users')).toEqual([
      { username: 'anna' },
    ])
    const server = await startServer({ folder, preload })
    expect(await server.stop()).toMatchObject({ code: 0 })
    expect(readdirSync(join(folder, 'data')).filter((name) => name.startsWith('secret'))).toEqual(['secret'])
  })
})

describeOnPostgres('on PostgreSQL', () => {
  const ownDatabase = async (): Promise<string> => {
    const { url, drop } = await makeDatabase()
    onTestFinished(drop)
    return url
  }

  test('somebody whose schema is not there is told, by migrate and by doctor', async () => {
    const url = `${await ownDatabase()}?options=${encodeURIComponent('-c search_path=nowhere')}`
    const { code, stderr } = await run(['migrate'], { env: { DATABASE_URL: url } })
    expect([code, stderr]).toEqual([1, expect.stringMatching(/none of the schemas that its search_path names.*\n$/)])
    expect(await faultsOf({ DATABASE_URL: url })).toContain('search_path')
  })

  test('somebody whose database holds Latin letters alone is told before a member with another name comes', async () => {
    const url = new URL(await ownDatabase())
    const name = `${url.pathname.slice(1)}_latin`
    await onServer(`CREATE DATABASE ${name} ENCODING 'LATIN1' TEMPLATE template0 LC_COLLATE 'C' LC_CTYPE 'C'`, url.href)
    onTestFinished(() => onServer(`DROP DATABASE ${name} WITH (FORCE)`, url.href).then(() => {}))
    const latin = Object.assign(new URL(url), { pathname: `/${name}` }).href
    const { code, stderr } = await run(['migrate'], { env: { DATABASE_URL: latin } })
    expect([code, stderr]).toEqual([1, expect.stringMatching(/encoding LATIN1.*ENCODING 'UTF8'.*\n$/)])
    expect(await faultsOf({ DATABASE_URL: latin })).toContain('LATIN1')
  })

  test.each([
    ['a database that is not there', 'pathname', '/not_there_yet', 'no database not_there_yet', 'createdb not_there_yet'],
    ['one of a strange name', 'pathname', '/not%20there', 'no database not there', "createdb 'not there'"],
    ['a role that is not there', 'username', 'nobody_yet', 'no role nobody_yet', 'createuser --pwprompt nobody_yet'],
  ] as const)(
    'somebody who names %s is told what makes it, by every command and by the library',
    async (_, part, value, what, command) => {
      const url = Object.assign(new URL(await ownDatabase()), { [part]: value, password: 'geheim' }).href
      const reported = expect.stringMatching(
        new RegExp(`^PostgreSQL has ${what} .*make it with ${command}, or name another\\.\n$`),
      )
      for (const args of [['migrate'], ['serve'], ['user', 'list']])
        expect([args, (await run(args, { env: { DATABASE_URL: url, PORT: '0' } })).stderr]).toEqual([args, reported])
      const all = [await faultsOf({ DATABASE_URL: url }), (await run(['copy', '--from', url, '--to', 'sqlite:a.db'])).stderr]
      for (const text of all) expect(text).toContain(command)
      expect(all.join()).not.toContain('geheim')

      const membership = createMembership({ baseUrl: 'http://localhost', database: url, logger: SILENT })
      onTestFinished(() => membership.close())
      await expect(membership.migrate()).rejects.toThrow(`make it with ${command}`)
      const server = await listen(createHttpServer(express().use(membership)))
      onTestFinished(() => void server.close())
      const answer = await fetch(`http://127.0.0.1:${portOf(server)}/login`)
      expect([answer.status, await answer.text()]).toEqual([503, expect.not.stringContaining(command)])
    },
  )

  test('somebody who names a socket that is not there is told where it is looked for', async () => {
    const url = 'postgres://@/members?host=/nowhere/sockets'
    const { stderr } = await run(['migrate'], { env: { DATABASE_URL: url } })
    expect(stderr).toMatch(/^The database does not answer: .*\/nowhere\/sockets.*\n$/)
  })

  test('somebody who names a certificate that is not there is told which file', async () => {
    const url = `${await ownDatabase()}?sslmode=verify-full&sslrootcert=/nowhere/authority.pem`
    const words = 'names a file that cannot be read: /nowhere/authority.pem (sslrootcert, sslcert or sslkey)'
    const { code, stderr } = await run(['migrate'], { env: { DATABASE_URL: url } })
    expect([code, stderr]).toEqual([1, expect.stringContaining(words)])
    expect(await faultsOf({ DATABASE_URL: url })).toContain(words)
    const from = await run(['copy', '--from', url, '--to', 'sqlite:copy.db'], {})
    expect([from.code, from.stderr]).toEqual([1, expect.stringContaining(words)])
  })

  test('POSTGRES:// is as good as postgres://', async () => {
    const url = (await ownDatabase()).replace(/^postgres(?:ql)?:/, 'POSTGRES:')
    expect(await run(['migrate'], { env: { DATABASE_URL: url } })).toMatchObject({ code: 0, stderr: '' })
  })
})

describeWith('initdb', 'on a PostgreSQL that asks for passwords', () => {
  test.each([
    ['no password', '', /asks for a password, and the connection string has none: write one there, or set PGPASSWORD\.\n$/],
    ['a wrong password', 'geheim', /does not take the user and password of the connection string .*: write the right ones/],
  ])('somebody who writes %s is told so, and none is shown', async (_, password, words) => {
    const postgres = await OwnPostgres.start()
    onTestFinished(() => postgres.drop())
    const client = new pg.Client({ connectionString: postgres.url })
    await client.connect()
    await client.query("ALTER ROLE postgres PASSWORD 'violet'")
    await client.end()
    postgres.allowOnly('host all all all scram-sha-256')
    await postgres.stop('fast')
    await postgres.start()
    const url = Object.assign(new URL(postgres.url), { password }).href
    const startedAt = performance.now()
    const { code, stderr } = await run(['migrate'], { env: { DATABASE_URL: url } })
    expect([code, stderr]).toEqual([1, expect.stringMatching(words)])
    expect(stderr).not.toContain('geheim')
    const from = await run(['copy', '--from', url, '--to', 'sqlite:copy.db'])
    expect([from.code, from.stderr]).toEqual([1, expect.stringMatching(words)])
    // Long before the minute after which PostgreSQL gives a login up.
    expect(performance.now() - startedAt).toBeLessThan(30_000)
  })
})

describeWith('redis-server', 'Redis', () => {
  let redis: OwnRedis
  beforeAll(async () => {
    redis = await OwnRedis.start()
    await redis.command('CONFIG', 'SET', 'requirepass', 'to%1')
  })
  afterAll(() => redis.drop())

  const at = (login: string, more = ''): string => redis.url.replace('redis://', `redis://${login}`) + more

  test('with a password lets in who writes it, % and all', async () => {
    const { code, stdout } = await run(['doctor'], { env: { ...CHEAP, REDIS_URL: at(':to%251@') } })
    expect([code, stdout]).toEqual([0, expect.stringContaining('Redis answers.')])
  })

  test.each([
    ['another password', () => at(':wrong@'), 'does not take the user and password of REDIS_URL'],
    ['no password', () => at(''), 'does not take the user and password of REDIS_URL'],
    ['a user that it does not know', () => at('anna:to%251@'), 'does not take the user and password of REDIS_URL'],
    ['a number that it does not have', () => at(':to%251@', '/99'), 'no database of the number at the end of REDIS_URL'],
    ['TLS, which it does not speak', () => at(':to%251@').replace('redis:', 'rediss:'), 'Where it speaks no TLS, write redis://'],
    ['a password with a bare %', () => at(':to%1@'), 'REDIS_URL must be'],
    ['a path that is no number', () => at(':to%251@', '/members'), 'REDIS_URL must be'],
  ])('somebody who writes %s is told so, and no password is', async (_, url, words) => {
    const reported = await faultsOf({ REDIS_URL: url() })
    expect(reported).toContain(words)
    for (const secret of ['wrong@', 'to%251', 'to%1']) expect(reported).not.toContain(secret)
  })

  test('that speaks TLS alone: somebody who writes redis:// is told to write rediss://', async () => {
    const port = await freePort()
    const server = createServer(selfSigned()).listen(port, '127.0.0.1')
    server.on('tlsClientError', () => {})
    onTestFinished(() => void server.close())
    expect(await faultsOf({ REDIS_URL: `redis://127.0.0.1:${port}` })).toContain('write rediss:// in REDIS_URL')
    expect(await faultsOf({ REDIS_URL: `rediss://localhost:${port}` })).toContain('a certificate that is not trusted')
  })
})

/** A file system that knows no hard links. */
const WITHOUT_LINKS = `const fs = process.getBuiltinModule('node:fs')
fs.linkSync = () => { throw Object.assign(new Error('ENOTSUP: operation not supported, link'), { code: 'ENOTSUP', syscall: 'link' }) }
process.getBuiltinModule('node:module').syncBuiltinESMExports()`
