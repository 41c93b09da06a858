// The programs that people would write against the installed package.

/** CommonJS: both entries are required, the session function as express-session's was. */
export const COMMON_JS = `
const express = require('express')
const { createMembership } = require('guildhall')
const session = require('guildhall/session')
const { SqliteStore } = require('guildhall/session/sqlite')

const membership = createMembership({
  baseUrl: 'http://localhost:' + process.env.PORT,
  database: 'sqlite::memory:',
  passwords: { memoryKiB: 1024, passes: 1 },
})

const alone = express.Router()
alone.use(session({ store: new session.MemoryStore(), name: 'alone' }))
alone.get('/', (req, res) => {
  req.session.views = (req.session.views ?? 0) + 1
  res.json([req.session.views, req.session instanceof session.Session, typeof SqliteStore, typeof session.session])
})

const app = express()
app.use('/alone', alone)
app.use(membership)
app.get('/', (req, res) => res.send(req.session.isLoggedIn ? 'Hello ' + req.user.username : 'Hello stranger'))
membership.migrate().then(() => app.listen(process.env.PORT))
`

/** What any application does with our types. */
const APPLICATION = `
import express from 'express'
import { createMembership, RefusalError, type User } from 'guildhall'
import session, { MemoryStore } from 'guildhall/session'
import { SqliteStore } from 'guildhall/session/sqlite'

declare module 'guildhall/session' {
  interface SessionData {
    cart?: string[]
  }
}
declare global {
  namespace Express {
    interface User {
      favourite?: string
    }
  }
}

const membership = createMembership({
  baseUrl: 'http://localhost:3000',
  database: 'sqlite::memory:',
  hooks: {
    beforeRegister({ username, ip }) {
      if (username === 'test') throw new RefusalError('test_name', \`not from \${ip}\`)
    },
    async beforeSignIn({ user }) {
      if (user.roles.includes('banned')) throw new RefusalError('banned', 'No.')
    },
  },
})
membership.on('registered', ({ user }) => console.log(user.displayName))

const app = express()
app.use(membership)
app.get('/', async (req, res) => {
  const isLoggedIn: boolean = req.session.isLoggedIn
  const name: string | undefined = req.session.username
  req.session.cart = [...(req.session.cart ?? []), name ?? '']
  if (req.user) {
    const username: string = req.user.username
    const since: Date = req.user.createdAt
    req.user.favourite = username + since
  }
  if (req.isAuthenticated()) res.setHeader('x-user', req.user.username)
  const user: User | undefined = await membership.users.find('alice')
  if (user) await req.login(user)
  if (user) req.login(user, (error) => console.log(error))
  await req.logout()
  req.logout((error) => console.log(error))
  await req.session.regenerate()
  await req.session.destroy()
  await req.session.save()
  req.session.save(() => console.log(req.session.id, req.sessionID))
  res.json({ isLoggedIn, user: await membership.user(req) })
})
app.get('/vault', membership.requireMember({ role: 'admin', within: '10m' }), (req, res) => {
  res.send(req.user?.username)
})
app.use(session({ store: new MemoryStore() }))
app.use(session({ store: new SqliteStore({ path: ':memory:' }) }))
`

export const PLAIN_TYPESCRIPT = `${APPLICATION}
app.post('/', (req) => {
  // @ts-expect-error: only a login says who is there.
  req.session.isLoggedIn = true
  // @ts-expect-error: nobody declared it.
  req.session.views = 1
})
`

/** An application on its way over: the types of express-session and passport are still there, and what it declared for them. */
export const MOVING_TYPESCRIPT = `${APPLICATION}
import type { Session } from 'express-session'
import type passport from 'passport'

declare module 'express-session' {
  interface SessionData {
    views: number
    isLoggedIn?: boolean
    username?: string
  }
}

app.get('/moving', (req, res, next) => {
  const theirs: Session = req.session
  req.session.views = (req.session.views ?? 0) + 1
  req.session.regenerate((error) => next(error))
  if (req.isUnauthenticated()) return
  const options: passport.LogInOptions = { session: true }
  req.login({ id: 'x' }, options, next)
  res.send(theirs.id)
})
`

/** Use of the sessions alone: a store of one's own, in both spellings, types in the function's namespace, a deleted key. */
export const SESSION_TYPESCRIPT = `
import express from 'express'
import session, { MemoryStore, type SessionOptions, Store } from 'guildhall/session'

declare module 'guildhall/session' {
  interface SessionData {
    userId: string
    visits: number
    cart?: string[]
  }
}

type Done = (error?: unknown) => void

class MyStore extends Store {
  #rows = new Map<string, string>()
  get(sid: string, callback: (error?: unknown, session?: session.SessionData | null) => void): void {
    callback(null, JSON.parse(this.#rows.get(sid) ?? 'null'))
  }
  set(sid: string, session: session.SessionData, callback?: Done): void {
    this.#rows.set(sid, JSON.stringify(session))
    callback?.()
  }
  destroy(_sid: string, callback?: () => void): void {
    callback?.()
  }
  touch(_sid: string, _session: session.StoredSession, callback?: () => void): void {
    callback?.()
  }
  all(callback: (error: unknown, sessions?: object[]) => void): void {
    callback(null, [])
  }
  length(callback: (error: unknown, length?: number) => void): void {
    callback(null, this.#rows.size)
  }
  clear(callback?: Done): void {
    callback?.()
  }
}
class OldStore extends session.Store {
  async get(_sid: any, callback: any) {
    callback()
  }
  async set(_sid: any, _session: any, callback: any) {
    callback()
  }
  async destroy(_sid: any, callback: any) {
    callback()
  }
}

const options: session.SessionOptions = { secret: 'x', genid: (req: express.Request) => req.path }
const others: SessionOptions = { secret: ['x'], cookie: (req: express.Request) => ({ secure: req.secure }) }
const cookie: session.CookieOptions = { maxAge: 1000 }

export const app = express()
app.use(session({ ...options, cookie, store: new MyStore() }))
app.use(session({ ...others, store: new OldStore() }))
app.use(session({ store: new MemoryStore() }))
app.get('/', async (req, res) => {
  const visits: number | undefined = req.session.visits
  delete req.session.userId
  await req.session.update((data) => (data.visits = (data.visits ?? 0) + 1))
  req.sessionStore.get(req.sessionID, (_error, session) => res.json([visits, session?.cookie]))
  req.sessionStore.all?.((_error, sessions) => res.json(sessions))
  req.session.cookie.maxAge = 5
  req.session.regenerate(() => req.session.save())
})
`

/** An application of express-session in its old clothes, with each of the stores that are used most, and their types. */
export const STORES_TYPESCRIPT = `
import MongoStore from 'connect-mongo'
import connectPgSimple from 'connect-pg-simple'
import { RedisStore } from 'connect-redis'
import express from 'express'
import expressSession, { MemoryStore as TheirMemoryStore, type SessionOptions as TheirOptions } from 'express-session'
import session, { fromExpressStore } from 'guildhall/session'
import makeMemoryStore from 'memorystore'
import makeFileStore from 'session-file-store'

declare module 'express-session' {
  interface SessionData {
    userId: string
    views: number
  }
}

const PgStore = connectPgSimple(session)
const FileStore = makeFileStore(session)
const Memory = makeMemoryStore(session)
const secret = 'x'

class MyStore extends session.Store {
  get(_sid: string, callback: (error: any, session?: session.SessionData | null) => void): void {
    callback(null)
  }
  set(_sid: string, _session: session.SessionData, callback?: (error?: any) => void): void {
    callback?.()
  }
  destroy(_sid: string, callback?: (error?: any) => void): void {
    callback?.()
  }
}
class TheirStore extends expressSession.Store {
  get(_sid: string, callback: (error: any, session?: expressSession.SessionData | null) => void): void {
    callback(null)
  }
  set(_sid: string, _session: expressSession.SessionData, callback?: (error?: any) => void): void {
    callback?.()
  }
  destroy(_sid: string, callback?: (error?: any) => void): void {
    callback?.()
  }
}
const theirs: TheirOptions = {
  secret,
  resave: false,
  saveUninitialized: false,
  cookie: { maxAge: 1000, sameSite: 'lax', secure: 'auto' },
  store: new TheirMemoryStore(),
  genid: (req) => req.path,
}

export const app = express()
app.use(session(theirs))
app.use(session({ secret, store: new RedisStore({ client: {} }) }))
app.use(session({ secret, store: fromExpressStore(new RedisStore({ client: {} }), { ids: 'plain' }) }))
app.use(session({ secret, store: new PgStore({ conString: '' }) }))
app.use(session({ secret, store: new FileStore({}) }))
app.use(session({ secret, store: new Memory({ checkPeriod: 1000 }) }))
app.use(session({ secret, store: MongoStore.create({ mongoUrl: '' }) }))
app.use(session({ secret, store: new session.MemoryStore() }))
app.use(session({ secret, store: new MyStore() }))
app.use(session({ secret, store: new TheirStore() }))
app.get('/', (req, res) => {
  delete req.session.userId
  req.sessionStore.get(req.sessionID, (_error, session) => res.json(session?.cookie))
  req.session.regenerate(() => req.session.save())
  const theirs: expressSession.Session = req.session
  res.send(theirs.id)
})
`

const COMPILER = {
  target: 'es2022',
  strict: true,
  exactOptionalPropertyTypes: true,
  skipLibCheck: false,
  noEmit: true,
  types: ['node'],
}

export interface Shape {
  readonly named: string
  readonly type: 'module' | 'commonjs'
  readonly compilerOptions: object
  readonly compilers: readonly ('5.7' | '5.9' | '7')[]
}

/** The ways in which a project of TypeScript finds a package. */
export const SHAPES: readonly Shape[] = [
  { named: 'an ES module', type: 'module', compilerOptions: { module: 'nodenext' }, compilers: ['5.7', '5.9', '7'] },
  {
    named: 'for a bundler',
    type: 'module',
    compilerOptions: { module: 'esnext', moduleResolution: 'bundler' },
    compilers: ['7'],
  },
  {
    named: 'CommonJS, module nodenext',
    type: 'commonjs',
    compilerOptions: { module: 'nodenext' },
    compilers: ['5.9'],
  },
  { named: 'CommonJS, module node16', type: 'commonjs', compilerOptions: { module: 'node16' }, compilers: ['7'] },
  {
    named: 'CommonJS, moduleResolution node',
    type: 'commonjs',
    compilerOptions: { module: 'commonjs', moduleResolution: 'node10', esModuleInterop: true },
    compilers: ['5.9'],
  },
]

export function tsconfig(compilerOptions: object, files = ['*.ts']): string {
  return JSON.stringify({ compilerOptions: { ...COMPILER, ...compilerOptions }, include: files })
}

/** Tells, when the process ends, every file that was loaded. */
export const LOADED_FILES = `
import { registerHooks } from 'node:module'
const loaded = []
registerHooks({
  load(url, context, nextLoad) {
    loaded.push(url)
    return nextLoad(url, context)
  },
})
process.on('exit', () => console.log(JSON.stringify(loaded)))
`

/** A test of Jest in its default configuration: a session that counts, and a membership somebody logs in to. */
export const JEST = `
const express = require('express')

async function answersOf(app, paths) {
  const server = app.listen(0)
  const answers = []
  let cookie = ''
  for (const path of paths) {
    const answer = await fetch('http://127.0.0.1:' + server.address().port + path, { headers: { cookie } })
    cookie = (answer.headers.get('set-cookie') ?? cookie).split(';')[0]
    answers.push(await answer.json())
  }
  await new Promise((done) => server.close(done))
  return answers
}

test('the sessions, with dates of this test, which has a Date of its own', async () => {
  const session = require('guildhall/session')
  const sessions = session({ store: new session.MemoryStore(), cookie: { expires: new Date(Date.now() + 60_000) } })
  const app = express()
  app.use(sessions)
  app.get('/', (req, res) => {
    req.session.views = (req.session.views ?? 0) + 1
    req.session.at = new Date(0)
    res.json([req.session.views, req.session instanceof session.Session])
  })
  expect(await answersOf(app, ['/', '/'])).toEqual([[1, true], [2, true]])
  expect(() => session({ cookie: { expires: new Date(Number.NaN) } })).toThrow('cookie.expires must be a valid Date')
  await sessions.close()
})

test('the membership', async () => {
  const { createMembership } = require('guildhall')
  const { logInAs } = require('guildhall/testing')
  const passwords = { memoryKiB: 1024, passes: 1 }
  const membership = createMembership({ baseUrl: 'http://127.0.0.1', database: 'sqlite::memory:', passwords })
  await membership.migrate()
  await membership.users.create({ username: 'alice', password: 'granite lantern ferry' })
  const app = express()
  app.use(membership)
  app.get('/', (req, res) => res.json(req.user.username))
  const server = app.listen(0)
  const cookie = await logInAs(membership, 'alice')
  const answer = await fetch('http://127.0.0.1:' + server.address().port, { headers: { cookie } })
  expect(await answer.json()).toBe('alice')
  await new Promise((done) => server.close(done))
  await membership.close()
})

test('a store on Redis, which forgot its scripts', async () => {
  const { createClient } = require('redis')
  const { sessionRow } = require('guildhall/testing')
  const { RedisStore } = require('guildhall/session/redis')
  const client = createClient({ url: process.env.REDIS, disableOfflineQueue: true })
  client.on('error', () => {})
  await client.connect()
  await client.scriptFlush()
  const store = new RedisStore({ client, prefix: 'jest-' + process.pid + ':' })
  const row = sessionRow()
  await store.create(row)
  expect(await store.delete([row.hash])).toEqual([row.hash])
  await client.close()
})
`

/** Says so by a process that fails: a Node that is too old, for \`require\` and for \`import\`. */
export const OLD_NODE = "Object.defineProperty(process, 'versions', { value: { ...process.versions, node: '20.11.0' } })"

/** The contract of session stores over a client of another version than the newest. */
export const STORES_OF_VERSIONS = `
import { describe, it } from 'node:test'
import { sessionStoreSuite } from 'guildhall/testing'
import { PostgresStore } from 'guildhall/session/postgres'
import { RedisStore } from 'guildhall/session/redis'

let made = 0
for (const version of ['redis', 'redis5']) {
  const { createClient } = await import(version)
  const makeStore = async () => {
    const client = createClient({ url: process.env.REDIS, disableOfflineQueue: true })
    client.on('error', () => {})
    await client.connect()
    const store = new RedisStore({ client, prefix: version + process.pid + '-' + made++ + ':' })
    return Object.assign(store, { close: () => client.quit() })
  }
  sessionStoreSuite(version, makeStore, { describe, it }, { expiresByItself: true })
}
const { default: pg } = await import('pg')
sessionStoreSuite('pg', async () => {
  const pool = new pg.Pool({ connectionString: process.env.POSTGRES })
  const table = 'package_' + process.pid + '_' + made++
  const store = new PostgresStore({ pool, table })
  await store.migrate()
  const close = async () => {
    await pool.query('DROP TABLE ' + table + ', ' + table + '_leases')
    await pool.end()
  }
  return Object.assign(store, { close })
}, { describe, it })
`
