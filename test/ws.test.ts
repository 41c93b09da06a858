// WebSockets: membership.user(req) says who is behind an upgrade request, here with the package `ws`.
import { createServer, type IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import express from 'express'
import { createMembership } from 'guildhall'
import { logInAs, testClock } from 'guildhall/testing'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { WebSocket, WebSocketServer } from 'ws'
import { CHEAP_HASHES, listen, portOf } from './support/site.ts'
import { GOOD_PASSWORD } from './support/visitor.ts'

const app = express()
const server = createServer(app)
const sockets = new WebSocketServer({ noServer: true })
const clock = testClock()
const baseUrl = 'http://localhost:3000'
const membership = createMembership({ baseUrl, database: 'sqlite::memory:', passwords: CHEAP_HASHES, clock })

beforeAll(async () => {
  await membership.migrate()
  await membership.users.create({ username: 'alice', password: GOOD_PASSWORD })
  app.use(membership)
  // As docs/guides/websockets.md has it.
  server.on('upgrade', (req, socket, head) => void welcome(req, socket, head))
  await listen(server)
})

afterAll(async () => {
  for (const socket of sockets.clients) socket.terminate()
  server.close()
  await membership.close()
})

async function welcome(req: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> {
  const user = await membership.user(req)
  if (!user) return void socket.end('HTTP/1.1 401 Unauthorized\r\nConnection: close\r\n\r\n')
  sockets.handleUpgrade(req, socket, head, (ws) => ws.send(`Welcome ${user.username}`))
}

/** What a browser's `new WebSocket(...)` would see: the first message, or the status of the refusal. */
function knock(cookie: string | undefined, origin: string = baseUrl): Promise<string | number> {
  const headers = cookie === undefined ? {} : { cookie }
  const ws = new WebSocket(`ws://localhost:${portOf(server)}/`, { origin, headers })
  return new Promise((done, fail) => {
    ws.on('message', (data) => done(data instanceof Buffer ? data.toString() : 'no text'))
    ws.on('unexpected-response', (_request, response) => done(response.statusCode ?? 0))
    ws.on('error', fail)
  })
}

test('a visitor without a login is refused, with a made-up cookie too', async () => {
  expect(await knock(undefined)).toBe(401)
  expect(await knock(`guildhall=${'x'.repeat(43)}`)).toBe(401)
})

test('a member is welcomed by name, and refused after the logout', async () => {
  const cookie = await logInAs(membership, 'alice')
  expect(await knock(cookie)).toBe('Welcome alice')
  const logout = await fetch(`http://localhost:${portOf(server)}/api/logout`, { method: 'POST', headers: { cookie } })
  expect(logout.status).toBe(204)
  expect(await knock(cookie)).toBe(401)
})

test('a login that was idle too long opens no socket', async () => {
  const cookie = await logInAs(membership, 'alice')
  clock.forward('17m')
  expect(await knock(cookie)).toBe(401)
})

test('another site cannot open one with the cookies of a member', async () => {
  expect(await knock(await logInAs(membership, 'alice'), 'https://evil.example')).toBe(401)
})
