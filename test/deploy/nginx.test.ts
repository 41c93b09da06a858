// The nginx lines of docs/guides/deploying.md, in front of a real server.
import { spawn } from 'node:child_process'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { setTimeout as after } from 'node:timers/promises'
import { expect, onTestFinished, test } from 'vitest'
import { selfSigned } from '../support/certificate.ts'
import { describeWith } from '../support/needs.ts'
import { findProgram } from '../support/own-server.ts'
import { freePort } from '../support/program.ts'
import { ask, newFolder, PRODUCTION, startServer } from '../support/server.ts'

const GUIDE = readFileSync(resolve(import.meta.dirname, '../../docs/guides/deploying.md'), 'utf8')
const { cert, key } = selfSigned()

describeWith('nginx', 'nginx as the guide writes it', () => {
  test('people come by https, from their own address, whatever they claim; http is redirected', async () => {
    const { port, httpPort, lines } = await openBehindNginx((server) => server)
    const Host = `localhost:${port}`
    const visit = (path: string, headers = {}) =>
      ask(path, { port, ca: cert, headers: { Host, Accept: 'text/html', ...headers } })
    expect((await visit('/login', { 'X-Forwarded-For': '203.0.113.7' })).status).toBe(200)
    const body = JSON.stringify({ username: 'anna', password: 'violet harbour lantern' })
    const headers = { Host, 'Content-Type': 'application/json', Origin: `https://${Host}` }
    expect((await ask('/api/register', { port, ca: cert, method: 'POST', headers, body })).status).toBe(201)
    await expect.poll(() => lines('/login')).toEqual([expect.objectContaining({ ip: '127.0.0.1' })])
    const led = await ask('/login?x=1', { port: httpPort, headers: { Host: 'localhost' } })
    expect([led.status, led.headers.location]).toEqual([308, 'https://localhost/login?x=1'])
  })

  test('somebody whose nginx keeps Host to itself reads in the log what came and what was expected', async () => {
    const { port, server } = await openBehindNginx((lines) => lines.replace(/ *proxy_set_header Host .*\n/, ''))
    const { status } = await ask('/login', { port, ca: cert, headers: { Host: `localhost:${port}` } })
    expect(status).toBe(421)
    const reported = () => server.lines().find(({ expected }) => expected !== undefined)
    await expect.poll(reported).toMatchObject({ host: `127.0.0.1:${server.port}`, expected: `localhost:${port}` })
  })
})

async function openBehindNginx(change: (lines: string) => string) {
  const [port, httpPort] = [await freePort(), await freePort()]
  const server = await startServer({ env: { ...PRODUCTION, BASE_URL: `https://localhost:${port}`, TRUST_PROXY: '1' } })
  const folder = newFolder()
  writeFileSync(join(folder, 'fullchain.pem'), cert)
  writeFileSync(join(folder, 'privkey.pem'), key, { mode: 0o600 })
  const [, written = ''] = /```nginx\n([^`]+)```/.exec(GUIDE) ?? []
  const placed = written
    .replaceAll('/etc/letsencrypt/live/members.example.org', folder)
    .replaceAll('members.example.org', 'localhost')
    .replaceAll(/ *listen \[::\].*\n/g, '')
    .replace('listen 80;', `listen 127.0.0.1:${httpPort};`)
    .replace('listen 443 ', `listen 127.0.0.1:${port} `)
    .replace('127.0.0.1:3000', `127.0.0.1:${server.port}`)
  await startNginx(folder, change(placed), port)
  const lines = (path: string) => server.lines().filter((line) => line.path === path)
  return { port, httpPort, server, lines }
}

async function startNginx(folder: string, servers: string, port: number): Promise<void> {
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((name) => `${name}_temp_path ${folder}/${name};`)
  mkdirSync(join(folder, 'logs'), { recursive: true })
  const configuration = `daemon off; pid ${folder}/pid; error_log stderr; events {}
http { access_log off; ${temporary.join(' ')}\n${servers}\n}`
  writeFileSync(join(folder, 'nginx.conf'), configuration)
  const child = spawn(findProgram('nginx') ?? '', ['-p', folder, '-c', join(folder, 'nginx.conf')], { stdio: 'pipe' })
  let printed = ''
  child.stderr.on('data', (data: Buffer) => {
    printed += data.toString()
  })
  const ended = new Promise((done) => child.once('exit', done))
  onTestFinished(async () => {
    child.kill('SIGTERM')
    await ended
  })
  const isOpen = () =>
    ask('/healthz', { port, ca: cert, headers: { Host: 'localhost' } }).then(
      () => true,
      () => false,
    )
  while (!(await isOpen())) {
    if (child.exitCode !== null) throw new Error(`nginx ended: ${printed}`)
    await after(25)
  }
}
