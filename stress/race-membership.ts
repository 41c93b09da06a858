// One process of a race on the membership: its pages, its API, and a slow route of the host, with barriers.
import express from 'express'
import { SETTABLE_STATUSES } from '../src/domain/user.ts'
import { openInternals } from '../src/membership.ts'
import type { Kept } from '../test/support/database-inspector.ts'
import { addBarriers, Barriers } from './barriers.ts'
import { type Listening, listen, slowRoute } from './race-app.ts'

export interface MembershipServer extends Listening {
  has(hash: string): Promise<boolean>
}

export async function openMembership({ database, redis }: Kept): Promise<MembershipServer> {
  const barriers = new Barriers()
  const internals = openInternals({
    baseUrl: 'http://localhost:3000',
    database,
    ...(redis && { redis: redis.url, redisPrefix: redis.prefix }),
    rateLimit: false,
    passwords: { memoryKiB: 64, passes: 1, workers: 1 },
    clock: barriers.clock,
  })
  await internals.membership.migrate()
  const { sessions } = internals.core.db
  addBarriers(sessions, barriers)
  const app = express()
  barriers.install(app)
  app.use(internals.membership)
  app.get('/slow/:as', internals.membership.requireLogin, slowRoute(barriers))
  app.post('/operator/:username/:status', async (req, res) => {
    const { username, status } = req.params
    const wanted = SETTABLE_STATUSES.find((known) => known === status)
    if (!wanted) throw new TypeError(`there is no status ${status}`)
    await internals.membership.users.setStatus(username, wanted)
    res.status(204).end()
  })
  const { base, close } = await listen(app)
  return {
    base,
    has: async (hash) => (await sessions.find(hash)) !== undefined,
    async close() {
      await close()
      await internals.membership.close()
    },
  }
}
