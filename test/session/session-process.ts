// Serves sessions in a process of its own, from a store that others share. Started with `fork`.
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import express, { type Request, type Response } from 'express'
import { type SessionStore, session } from 'guildhall/session'
import { PostgresStore } from 'guildhall/session/postgres'
import { RedisStore } from 'guildhall/session/redis'
import { SqliteStore } from 'guildhall/session/sqlite'
import pg from 'pg'
import { openRedis } from '../support/redis-server.ts'
import { addVisits } from './visits.ts'

const [kind = '', where = ''] = process.argv.slice(2)

const STORES: Readonly<Record<string, () => Promise<SessionStore>>> = {
  sqlite: async () => new SqliteStore({ path: where }),
  postgres: async () => new PostgresStore({ pool: new pg.Pool({ connectionString: where }) }),
  redis: async () => new RedisStore({ client: await openRedis(), prefix: where }),
}

/** A slow request waits between its two halves for a message of the test. */
const SLOW: Readonly<Record<string, readonly [(req: Request) => unknown, (req: Request, res: Response) => unknown]>> = {
  reads: [(req) => req.session.views, (_req, res) => res.end()],
  'looks at nothing': [() => {}, (_req, res) => res.end()],
  writes: [(req) => Object.assign(req.session, { views: 2 }), (_req, res) => res.end()],
  saves: [(req) => Object.assign(req.session, { views: 2 }).save(), (_req, res) => res.end()],
  'flushes its head': [
    (req) => req.session.views,
    (_req, res) => {
      res.flushHeaders()
      res.end()
    },
  ],
  'changes the cookie': [
    (req) => Object.assign(req.session.cookie, { maxAge: 7_200_000 }),
    (_req, res) => {
      res.writeHead(200)
      res.end()
    },
  ],
}

const app = express()
app.use(
  session({
    store: await (STORES[kind] ?? (() => Promise.reject(new Error(`no store ${kind}`))))(),
    rolling: true,
    cookie: { maxAge: '1h' },
  }),
)
addVisits(app)
app.get('/slow/:what', async (req, res) => {
  const [before, after] = SLOW[req.params.what] ?? []
  await before?.(req)
  const letGo = once(process, 'message')
  process.send?.('reached')
  await letGo
  after?.(req, res)
})

const server = createServer(app).listen(0, '127.0.0.1')
await once(server, 'listening')
process.on('disconnect', () => process.exit())
process.send?.({ port: (server.address() as AddressInfo).port, slow: Object.keys(SLOW) })
