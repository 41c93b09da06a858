// express-session with the stores that people put behind it, and with passport in front.
import { join } from 'node:path'
import type { RequestHandler } from 'express'
import { importPeer } from '../peers.ts'
import { type Apps, appBehind, HOUR_MS, refuse, SECRET, sendUser, USER } from './app.ts'
import { newSqliteStore } from './plain-sqlite-store.ts'
import { connectPgSimple, connectRedis } from './stores.ts'

interface Passport {
  readonly default: {
    session(): RequestHandler
    serializeUser(serialize: (user: typeof USER, done: (error: null, id: string) => void) => void): void
    deserializeUser(find: (id: string, done: (error: null, user: typeof USER | false) => void) => void): void
  }
}

export const expressSessionApps: Apps = {
  'express-session, MemoryStore': async () => appBehind(await expressSession()),
  'express-session, connect-redis': async () => appBehind(await expressSession(await connectRedis())),
  'express-session, SQLite': async ({ folder }) =>
    appBehind(await expressSession(await newSqliteStore(join(folder, 'sessions.db')))),
  'express-session, connect-pg-simple': async () => appBehind(await expressSession(await connectPgSimple())),
  'passport, MemoryStore': async () => {
    const { default: passport } = await importPeer<Passport>('passport')
    const users = new Map([[USER.id, USER]])
    passport.serializeUser((user, done) => done(null, user.id))
    passport.deserializeUser((id, done) => done(null, users.get(id) ?? false))
    const { default: express } = await import('express')
    const app = express()
    app.use(await expressSession())
    app.use(passport.session())
    app.post('/login', (req, res, next) => {
      req.login({ ...USER, id: USER.id }, (error) => (error === undefined ? sendUser(req, res, next) : next(error)))
    })
    app.get('/profile', (req, res, next) => (req.isAuthenticated() ? sendUser(req, res, next) : refuse(req, res, next)))
    return app
  },
}

/** As its README advises: nothing saved that did not change, nothing made for who does not log in. */
export async function expressSession(store?: object): Promise<RequestHandler> {
  const { default: session } = await importPeer<{ default: (options: object) => RequestHandler }>('express-session')
  return session({
    secret: SECRET,
    resave: false,
    saveUninitialized: false,
    cookie: { maxAge: HOUR_MS },
    ...(store !== undefined && { store }),
  })
}
