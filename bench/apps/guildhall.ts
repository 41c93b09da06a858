// guildhall as a session middleware and as a library in the host's own application. The whole server is started by processes.ts.
import { join } from 'node:path'
import express, { type Express } from 'express'
import { createMembership } from '../../src/membership.ts'
import { MemoryStore, session } from '../../src/session/index.ts'
import { SqliteStore } from '../../src/session/stores/sqlite.ts'
import type { MembershipOptions } from '../../src/settings/options.ts'
import { type Apps, appBehind, SECRET, sendUser } from './app.ts'
import { ownPostgres, ownRedis } from './stores.ts'

export const guildhallApps: Apps = {
  'guildhall/session, memory, signed': () => appBehind(session({ store: new MemoryStore(), secret: SECRET })),
  'guildhall/session, SQLite': ({ folder }) =>
    appBehind(session({ store: new SqliteStore({ path: join(folder, 'sessions.db') }) })),
  'guildhall/session, Redis': async () => appBehind(session({ store: await ownRedis() })),
  'guildhall/session, PostgreSQL': async () => appBehind(session({ store: await ownPostgres() })),
  'guildhall as a library': ({ base, folder }) => library({ baseUrl: base, database: `sqlite:${join(folder, 'members.db')}` }),
}

async function library(options: MembershipOptions): Promise<Express> {
  const membership = createMembership({ ...options, rateLimit: false })
  await membership.migrate()
  const app = express()
  app.use(membership)
  app.get('/bare', sendUser)
  app.get('/diary', membership.requireLogin, (req, res) => void res.json({ user: req.user }))
  return app
}
