// better-auth as its documentation puts it behind Express, over node:sqlite. Its limit of requests is off: 16 connections have one address.
import type { IncomingHttpHeaders, RequestListener } from 'node:http'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import express, { type Express } from 'express'
import { importPeer } from '../peers.ts'
import { MEMBERS, memberAddress, memberName, PASSWORD } from '../visitors.ts'
import { type Apps, HOUR_MS, type Place, refuse, SECRET, sendUser } from './app.ts'

interface Auth {
  readonly options: object
  readonly api: {
    getSession(request: { readonly headers: Headers }): Promise<object | null>
    signUpEmail(request: { readonly body: object; readonly asResponse: true }): Promise<Response>
  }
  readonly $context: Promise<{
    readonly password: { hash(password: string): Promise<string> }
    readonly internalAdapter: {
      createUser(user: object): Promise<{ readonly id: string }>
      linkAccount(account: object): Promise<unknown>
    }
  }>
}

export const betterAuthApps: Apps = {
  'better-auth, SQLite': async (place) => (await make(place, { enabled: false })).app,
  // For longer than the measurement takes: by default, after five minutes the database is asked again.
  'better-auth, cookie cache': async (place) => (await make(place, { enabled: true, maxAge: HOUR_MS / 1000 })).app,
  'storm: better-auth': async (place) => {
    const { app, auth } = await make(place, { enabled: false })
    await addMembers(auth)
    return app
  },
}

async function make({ base, folder }: Place, cookieCache: object): Promise<{ app: Express; auth: Auth }> {
  const { betterAuth } = await importPeer<{ betterAuth: (options: object) => Auth }>('better-auth')
  const { getMigrations } = await importPeer<{
    getMigrations: (options: object) => Promise<{ runMigrations(): Promise<void> }>
  }>('better-auth/db/migration')
  const { toNodeHandler, fromNodeHeaders } = await importPeer<{
    toNodeHandler: (auth: Auth) => RequestListener
    fromNodeHeaders: (headers: IncomingHttpHeaders) => Headers
  }>('better-auth/node')
  const database = new DatabaseSync(join(folder, 'auth.db'))
  database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL')
  const auth = betterAuth({
    baseURL: base,
    secret: SECRET,
    database,
    emailAndPassword: { enabled: true },
    rateLimit: { enabled: false },
    session: { cookieCache },
  })
  await (await getMigrations(auth.options)).runMigrations()

  const app = express()
  app.all('/api/auth/*splat', toNodeHandler(auth))
  let visitors = 0
  app.post('/login', async (req, res, next) => {
    const body = { email: `benchmark-${++visitors}@example.org`, password: PASSWORD, name: 'benchmark' }
    const { headers } = await auth.api.signUpEmail({ body, asResponse: true })
    res.setHeader('Set-Cookie', headers.getSetCookie())
    sendUser(req, res, next)
  })
  app.get(['/profile', '/api/profile'], async (req, res, next) => {
    const session = await auth.api.getSession({ headers: fromNodeHeaders(req.headers) })
    return session === null ? refuse(req, res, next) : sendUser(req, res, next)
  })
  return { app, auth }
}

/** All with one hash of one password: to make four hundred would take longer than to measure. */
async function addMembers(auth: Auth): Promise<void> {
  const { password, internalAdapter } = await auth.$context
  const hash = await password.hash(PASSWORD)
  for (let index = 0; index < MEMBERS; index++) {
    const { id } = await internalAdapter.createUser({ email: memberAddress(index), name: memberName(index), emailVerified: true })
    await internalAdapter.linkAccount({ userId: id, providerId: 'credential', accountId: id, password: hash })
  }
}
