// A full disk: members stay logged in, writes are refused, and nothing needs a restart.
import { execFileSync } from 'node:child_process'
import { expect, test } from 'vitest'
import { describeWith } from '../support/needs.ts'
import { ask, post, startServer, type TestServer } from '../support/server.ts'

const ANNA = { username: 'anna', password: 'violet harbour lantern' }

/** The largest file that the server may write from now on: beyond it a write fails as on a full disk. */
function limitFileSize({ child }: TestServer, bytes: number | 'unlimited'): void {
  execFileSync('prlimit', ['--pid', String(child.pid), `--fsize=${bytes}:`])
}

describeWith('prlimit', 'a disk that is full', () => {
  test('F-07 a member who is logged in continues, a visitor who wants to log in is told to come back, and can once there is room', async () => {
    const server = await startServer({ env: { RATE_LIMIT: 'off' } })
    const { headers } = await post(server, '/api/register', ANNA)
    const Cookie = String(headers['set-cookie']).split(';', 1).join()
    const readProfile = () => ask('/api/profile', { port: server.port, headers: { Host: new URL(server.url).host, Cookie } })

    limitFileSize(server, 4096)
    for (let n = 0; n < 3; n++) {
      const login = await post(server, '/api/login', ANNA)
      expect([login.status, login.headers['retry-after'], login.headers['set-cookie']]).toEqual([503, '1', undefined])
      expect((await post(server, '/api/register', { ...ANNA, username: 'bea' })).status).toBe(503)
      expect((await readProfile()).status).toBe(200)
    }

    limitFileSize(server, 'unlimited')
    expect((await post(server, '/api/login', ANNA)).status).toBe(200)
    expect((await post(server, '/api/register', { ...ANNA, username: 'bea' })).status).toBe(201)
    expect((await readProfile()).status).toBe(200)
    expect(await server.stop()).toMatchObject({ code: 0 })
  })
})
