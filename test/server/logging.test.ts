// What the log contains, and what it never contains.
import { spawnSync } from 'node:child_process'
import { chmodSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { describe, expect, test } from 'vitest'
import { redact } from '../../src/server/redact.ts'
import { ask, PRODUCTION, post, startServer } from '../support/server.ts'

test('each finished request has one line: who, what, how long, and no query', async () => {
  const server = await startServer()
  const answer = await fetch(`${server.url}/login?returnTo=%2Fcanary`, { headers: { Accept: 'text/html' } })
  await server.stop()
  const lines = server.lines().filter(({ msg }) => msg === 'request')
  expect(lines).toEqual([
    {
      level: 'info',
      time: expect.stringMatching(/^\d{4}-.*Z$/),
      requestId: answer.headers.get('x-request-id'),
      method: 'GET',
      path: '/login',
      status: 200,
      ms: expect.any(Number),
      ip: '127.0.0.1',
      msg: 'request',
    },
  ])
})

test('N-04: no password, cookie or token is in the log, not at the finest level, not where something breaks', async () => {
  const server = await startServer({ env: { LOG_LEVEL: 'trace', METRICS_TOKEN: 'canary-metrics-token' } })
  const password = 'canary-password-violet'
  const registered = await post(server, '/api/register', { username: 'anna', password })
  const cookie = String(registered.headers['set-cookie']?.[0]?.split(';')[0])
  const sid = String(cookie.split('=')[1])
  const host = new URL(server.url).host
  await post(server, '/api/login', { username: 'anna', password }, { Cookie: cookie })
  await post(server, '/api/login', { username: password, password: 'canary-password-wrong' })
  await ask('/api/login', {
    port: server.port,
    method: 'POST',
    headers: { Host: host, 'Content-Type': 'application/json' },
    body: `{"password":"${password}"`,
  })
  await ask(`/profile?token=canary-query`, {
    port: server.port,
    headers: { Host: host, Cookie: cookie, Authorization: 'Bearer canary-authorization' },
  })
  await ask('/metrics', { port: server.port, headers: { Host: host, Authorization: 'Bearer canary-metrics-token' } })
  await post(server, '/api/logout', {}, { Cookie: cookie })
  await server.stop()
  expect(server.lines().length).toBeGreaterThan(6)
  expect(server.output()).not.toContain('canary')
  expect(server.output()).not.toContain(sid)
})

describe('the second net', () => {
  test('values under names that sound secret are redacted, however deep', () => {
    const fields = { a: [{ headers: { cookie: 'x', Authorization: 'x', accept: 'y' } }], newPassword: 'x', csrfToken: 'x' }
    expect(redact(fields)).toEqual({
      a: [{ headers: { cookie: '[redacted]', Authorization: '[redacted]', accept: 'y' } }],
      newPassword: '[redacted]',
      csrfToken: '[redacted]',
    })
  })

  test('an error keeps its code and causes, and loses the body that a parser hung on it', () => {
    const error = Object.assign(new Error('it broke', { cause: new TypeError('because') }), { body: 'canary', code: 'E' })
    const reported = redact({ err: error })
    expect(reported).toMatchObject({
      err: { type: 'Error', message: 'it broke', code: 'E', cause: { type: 'TypeError', message: 'because' } },
    })
    expect(JSON.stringify(reported)).not.toContain('canary')
  })

  test('a ring does not hang the log', () => {
    const ring: Record<string, unknown> = {}
    ring.self = ring
    expect(JSON.stringify(redact(ring))).toContain('[deep]')
  })
})

test('N-05 somebody who is refused finds in the log why, by the id on their error page', async () => {
  const server = await startServer()
  const wrong = await post(server, '/api/login', { username: 'anna', password: 'a wrong one' })
  const stolen = await ask('/login', {
    port: server.port,
    method: 'POST',
    headers: { Host: new URL(server.url).host, 'Sec-Fetch-Site': 'cross-site', Accept: 'text/html' },
  })
  await server.stop()
  const line = (message: string) => server.lines().find(({ msg }) => msg === message)
  expect(line('login')).toMatchObject({ outcome: 'wrong_credentials', requestId: wrong.headers['x-request-id'] })
  expect(line('refused')).toMatchObject({ code: 'cross_site_request', requestId: stolen.headers['x-request-id'] })
  expect(stolen.text).toContain(String(line('refused')?.requestId))
})

test('a load balancer that asks how it goes fills no log; the day it goes badly, it is told', async () => {
  const server = await startServer()
  for (const path of ['/healthz', '/readyz', '/healthz']) await ask(path, { port: server.port })
  await fetch(`${server.url}/readyzz`)
  const database = new DatabaseSync(join(server.folder, 'data/guildhall.db'))
  database.exec('UPDATE guildhall_schema SET version = 999')
  database.close()
  await ask('/readyz', { port: server.port })
  await server.stop()
  const asked = server.lines().filter(({ msg }) => msg === 'request')
  expect(asked.map(({ path, status }) => [path, status])).toEqual([
    ['/readyzz', 404],
    ['/readyz', 503],
  ])
})

test('serve warns as doctor does of a proxy that must be there but is not in the settings', async () => {
  const server = await startServer({ env: PRODUCTION })
  await server.stop()
  expect(server.lines().filter(({ level }) => level === 'warn')).toEqual([
    expect.objectContaining({ msg: expect.stringContaining('Without TRUST_PROXY all visitors share one address') }),
  ])
})

test('an operator whose data file others can write to is warned at the start', async () => {
  const first = await startServer({ env: PRODUCTION })
  await first.stop()
  const file = join(first.folder, 'data/guildhall.db')
  chmodSync(file, 0o666)
  const server = await startServer({ env: PRODUCTION, folder: first.folder })
  await server.stop()
  expect(server.lines()).toContainEqual(
    expect.objectContaining({ level: 'warn', msg: expect.stringContaining('chmod 600 ./data/guildhall.db') }),
  )
})

test('a proxy that is there but not in the settings is told, once', async () => {
  const server = await startServer({ env: PRODUCTION })
  for (let n = 0; n < 3; n++)
    await ask('/', { port: server.port, headers: { Host: 'example.org', 'X-Forwarded-Proto': 'https' } })
  await server.stop()
  expect(server.lines().filter(({ msg }) => String(msg).startsWith('A proxy is in front')).length).toBe(1)
})

test.each([
  ['B-12: without TRUST_PROXY a forwarded address is not believed', undefined, '127.0.0.1'],
  ['B-13: with one proxy the address it saw is the one that counts', '1', '9.9.9.9'],
  ['with two proxies the one before', '2', '1.2.3.4'],
])('%s', async (_title, hops, ip) => {
  const server = await startServer({ env: { ...PRODUCTION, TRUST_PROXY: hops } })
  await ask('/', { port: server.port, headers: { Host: 'example.org', 'X-Forwarded-For': '1.2.3.4, 9.9.9.9' } })
  await server.stop()
  expect(server.lines().find(({ msg }) => msg === 'request')?.ip).toBe(ip)
})

describe('what a visitor sends is printed, not obeyed', () => {
  // 0x9B is CSI in one byte: a terminal that shows it takes what follows as a command.
  const CSI = '\u009b'

  test.each(['json', 'pretty'])('an operator who reads the %s log sees addresses that are some', async (LOG_FORMAT) => {
    const server = await startServer({ env: { LOG_FORMAT, TRUST_PROXY: '1' } })
    const headers = { Host: new URL(server.url).host, 'X-Forwarded-For': `1${CSI}2J`, 'Sec-Fetch-Site': 'cross-site' }
    await ask('/login', { port: server.port, headers })
    await ask('/logout', { port: server.port, method: 'POST', headers })
    await server.stop()
    expect(server.output()).toMatch(/request[\s\S]*refused/)
    expect(server.output()).not.toMatch(/[\u0080-\u009f]|"?ip"?:/)
  })

  test.each(['json', 'pretty'])('an operator who reads the %s log sees what an error says, as escapes', (format) => {
    const error = `new Error('1\\u009b2J 2\\u001b[2J 3\\u202e\\nnext line')`
    const program = `
      import { createLog } from './src/server/logging.ts'
      const log = await createLog({ log: { level: 'info', format: '${format}' } })
      log.error({ err: ${error}, name: '4\\u0085' }, '5\\u009b2J')
      await log.flush()`
    const args = ['--conditions=guildhall-source', '--input-type=module', '-e', program]
    const { stdout, stderr } = spawnSync(process.execPath, args, { cwd: resolve(import.meta.dirname, '../..'), encoding: 'utf8' })
    for (const shown of ['1\\u009b2J', '2\\u001b[2J', '3\\u202e', '4\\u0085', '5\\u009b2J'])
      expect(stdout + stderr).toContain(shown)
    expect(stdout).not.toMatch(/[^\P{Cc}\n]|\u202e/u)
  })
})
