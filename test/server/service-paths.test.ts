// Health, readiness and metrics: what machines may know.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { describe, expect, test } from 'vitest'
import { freePort } from '../support/program.ts'
import { ask, PRODUCTION, post, run, startServer } from '../support/server.ts'

test('X-05: health and readiness say one word, to everybody, without a cookie', async () => {
  const { port } = await startServer({ env: PRODUCTION })
  for (const path of ['/healthz', '/readyz']) {
    const { status, text, headers } = await ask(path, { port, headers: { Host: `10.1.2.3:${port}` } })
    expect([status, text, headers['set-cookie']], path).toEqual([200, '{"status":"ok"}', undefined])
    expect((await ask(path, { port, method: 'HEAD', headers: { Host: 'x' } })).text).toBe('')
  }
})

test('it is not ready where the database has another schema', async () => {
  const server = await startServer()
  const database = new DatabaseSync(join(server.folder, 'data/guildhall.db'))
  database.exec('UPDATE guildhall_schema SET version = 999')
  database.close()
  const { status, text } = await ask('/readyz', { port: server.port })
  expect([status, text]).toEqual([503, '{"status":"unavailable"}'])
  expect((await fetch(`${server.url}/healthz`)).status).toBe(200)
})

describe('metrics', () => {
  const token = 'a-token-for-the-collector'

  test('somebody who sends Host: localhost through a proxy that adds nothing finds no metrics', async () => {
    const { port } = await startServer({ env: PRODUCTION })
    for (const host of ['localhost', `localhost:${port}`, '127.0.0.1', '[::1]', 'example.org'])
      expect((await ask('/metrics', { port, headers: { Host: host } })).status, host).toBe(404)
  })

  test('a developer whose site is this machine itself reads them without a setting, whatever the request says', async () => {
    const { port } = await startServer()
    for (const headers of [{ Host: `localhost:${port}` }, { Host: 'evil.example' }, { 'X-Forwarded-For': '203.0.113.9' }])
      expect((await ask('/metrics', { port, headers })).status).toBe(200)
  })

  test('an operator who gives them a port of their own reads them there, and nobody reads them at the site', async () => {
    const metricsPort = await freePort()
    const { port } = await startServer({ env: { METRICS_PORT: String(metricsPort) } })
    const { status, headers, text } = await ask('/metrics', { port: metricsPort })
    expect([status, headers['content-type']]).toEqual([200, 'text/plain; version=0.0.4; charset=utf-8'])
    expect(text).toContain('guildhall_logins_total')
    expect((await ask('/', { port: metricsPort })).status).toBe(404)
    expect((await ask('/metrics', { port })).status).toBe(404)
    expect(listeningAt(metricsPort)).toEqual(['127.0.0.1'])
  })

  test('with a port of their own that is taken the site does not start, and says which setting to change', async () => {
    const { port } = await startServer()
    const { code, stderr } = await run(['serve'], { env: { PORT: '0', METRICS_PORT: String(port) } })
    expect([code, stderr]).toEqual([1, `Port ${port} is taken: stop the other program, or write another METRICS_PORT.\n`])
  })

  test('with a token only a request that sends it reads them, from any address', async () => {
    const { port } = await startServer({ env: { ...PRODUCTION, METRICS_TOKEN: token } })
    const status = async (authorization?: string) =>
      (
        await ask('/metrics', {
          port,
          headers: { Host: `10.1.2.3:${port}`, ...(authorization && { Authorization: authorization }) },
        })
      ).status
    expect(await status(`Bearer ${token}`)).toBe(200)
    for (const wrong of [undefined, 'Bearer ', `Bearer ${token}x`, token, `Basic ${token}`])
      expect(await status(wrong), wrong).toBe(404)
  })

  test('logins, registrations, refusals, hashes and durations are counted; visitors cannot make new series', async () => {
    const server = await startServer()
    const login = (password: string) => post(server, '/api/login', { username: 'anna', password })
    await post(server, '/api/register', { username: 'anna', password: 'violet harbour lantern' })
    await login('violet harbour lantern')
    await login('a wrong one')
    await post(server, '/api/logout', {})
    await post(server, '/api/logout', {}, { 'Sec-Fetch-Site': 'cross-site' })
    for (const path of ['/a', '/b', '/c/d', '/account/sessions/1/end', '/account/sessions/2/end']) await fetch(server.url + path)
    const text = await (await fetch(`${server.url}/metrics`)).text()
    const value = (name: string) =>
      Number(
        text
          .split('\n')
          .find((line) => line.startsWith(`${name} `))
          ?.split(' ')
          .at(-1),
      )
    // A registration logs in.
    expect(value('guildhall_logins_total{outcome="success"}')).toBe(2)
    expect(value('guildhall_logins_total{outcome="wrong_credentials"}')).toBe(1)
    expect(value('guildhall_registrations_total')).toBe(1)
    expect(value('guildhall_refusals_total{code="cross_site_request"}')).toBe(1)
    expect(value('guildhall_password_hashes_total')).toBe(3)
    expect(value('guildhall_password_hashes_running')).toBe(0)
    const durations = 'guildhall_http_request_duration_seconds'
    expect(value(`${durations}_count{method="POST",route="/api/login",status="2xx"}`)).toBe(1)
    expect(value(`${durations}_bucket{method="POST",route="/api/login",status="4xx",le="+Inf"}`)).toBe(1)
    expect(value(`${durations}_count{method="GET",route="other",status="4xx"}`)).toBe(3)
    expect(value(`${durations}_count{method="GET",route="/account/sessions/:id/end",status="4xx"}`)).toBe(2)
    expect(value('process_cpu_seconds_total')).toBeGreaterThan(0)
    expect(text).not.toContain('anna')
  })
})

/** The addresses at which somebody on this machine listens for this port, as Linux reports. */
function listeningAt(port: number): readonly string[] {
  const wanted = port.toString(16).toUpperCase().padStart(4, '0')
  const lines = ['/proc/net/tcp', '/proc/net/tcp6'].flatMap((file) => readFileSync(file, 'utf8').trim().split('\n').slice(1))
  const sockets = lines.map((line) => line.trim().split(/\s+/))
  const open = sockets.filter(([, local, , state]) => local?.endsWith(`:${wanted}`) && state === '0A')
  return open.map(([, local = '']) => (local.startsWith('0100007F:') ? '127.0.0.1' : local))
}
