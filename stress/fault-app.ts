// One process of a fault-injection run: an application on the membership that reports on its store and its log.
import express from 'express'
import pg from 'pg'
import { openInternals } from '../src/membership.ts'
import type { Database } from '../src/storage/contract.ts'
import { listen } from './race-app.ts'

declare module 'guildhall/session' {
  interface SessionData {
    visits?: number
  }
}

export interface AppChoice {
  readonly database: string
  readonly redis?: string
  readonly rateLimit?: boolean
}

/** The answer of `GET /probe`. */
export interface Probe {
  readonly longestCallMs: number
  readonly mostConnections: number
  readonly mostWaiting: number
  readonly warnings: readonly string[]
  readonly isUnhurt: boolean
}

const { database, redis, rateLimit = true }: AppChoice = JSON.parse(process.argv[2] ?? '{}')
const probe = { longestCallMs: 0, mostConnections: 0, mostWaiting: 0, warnings: [] as string[], isUnhurt: true }
process.on('unhandledRejection', () => {
  probe.isUnhurt = false
})
watchPool()

const app = express()
app.set('trust proxy', 1)
// Nobody comes here from a browser: the origin is that of no request.
const internals = openInternals({
  baseUrl: 'http://127.0.0.1',
  database,
  ...(redis !== undefined && { redis }),
  rateLimit,
  secret: 'a secret of more than thirty-two bytes for stress runs',
  passwords: { memoryKiB: 1024, passes: 1, workers: 1 },
  logger: { debug() {}, info() {}, warn: (_fields, message) => void probe.warnings.push(message), error() {} },
})
timeCalls(internals.core.db)
await internals.membership.migrate()
app.get('/probe', (_req, res) => {
  res.json(probe)
  probe.longestCallMs = 0
})
// What an operator does, without a second process for each.
app.get('/operator/:name/:status', async (req, res) => {
  const status = req.params.status === 'suspended' ? 'suspended' : 'active'
  await internals.membership.users.setStatus(req.params.name, status)
  res.status(204).end()
})
app.use(internals.membership)
app.get('/diary', internals.membership.requireLogin, (req, res) => void res.send(req.user?.username))
app.get('/who', (req, res) => void res.send(req.session.username ?? ''))
app.get('/count', (req, res) => {
  req.session.visits = (req.session.visits ?? 0) + 1
  res.send(req.session.username ?? '')
})
const { base } = await listen(app)
process.send?.({ base })

/** How long each single call takes, from its begin until its outcome. */
function timeCalls(db: Database): void {
  time(db, ['all', 'first', 'write', 'transaction'])
  time(db.sessions, ['find', 'create', 'update', 'touch', 'delete', 'listByUser', 'deleteByUser'])
  time(db.counters, ['find', 'swap'])
}

function time(target: object, names: readonly string[]): void {
  for (const name of names) {
    const call = Reflect.get(target, name)
    const timed = async (...values: readonly unknown[]): Promise<unknown> => {
      const began = performance.now()
      try {
        return await Reflect.apply(call, target, values)
      } finally {
        probe.longestCallMs = Math.max(probe.longestCallMs, performance.now() - began)
      }
    }
    Reflect.set(target, name, timed)
  }
}

/** How many connections the pool has, and how many calls wait for one. */
function watchPool(): void {
  const { connect } = pg.Pool.prototype
  pg.Pool.prototype.connect = function (this: pg.Pool, ...values: never[]) {
    const connecting = Reflect.apply(connect, this, values)
    probe.mostConnections = Math.max(probe.mostConnections, this.totalCount)
    probe.mostWaiting = Math.max(probe.mostWaiting, this.waitingCount)
    return connecting
  }
}
