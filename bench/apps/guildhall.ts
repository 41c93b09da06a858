// guildhall as a session middleware and as a library in the host's own application. The whole server is started by processes.ts.
import { join } from 'node:path'
import express from 'express'
import { createMembership } from '../../src/membership.ts'
import { fromExpressStore, MemoryStore, session } from '../../src/session/index.ts'
import { SqliteStore } from '../../src/session/sqlite-store.ts'
import { type Apps, appBehind, SECRET, sendUser } from './app.ts'
import { newPostgresStore, newRedisStore } from './callback-stores.ts'

export const guildhallApps: Apps = {
  'guildhall/session, memory, signed': () => appBehind(session({ store: new MemoryStore(), secret: SECRET })),
  'guildhall/session, SQLite': ({ folder }) =>
    appBehind(session({ store: new SqliteStore({ path: join(folder, 'sessions.db') }) })),
  'guildhall/session, connect-redis': async () =>
    appBehind(session({ store: fromExpressStore(await newRedisStore(), { ids: 'hashed' }), secret: SECRET })),
  'guildhall/session, connect-pg-simple': async () =>
    appBehind(session({ store: fromExpressStore(await newPostgresStore(), { ids: 'hashed' }), secret: SECRET })),
  'guildhall as a library': async ({ base, folder }) => {
    const membership = createMembership({ baseUrl: base, database: `sqlite:${join(folder, 'members.db')}`, rateLimit: false })
    await membership.migrate()
    const app = express()
    app.use(membership)
    app.get('/bare', sendUser)
    app.get('/diary', membership.requireLogin, (req, res) => void res.json({ user: req.user }))
    return app
  },
}
