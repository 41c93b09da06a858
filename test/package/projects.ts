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

export const TSCONFIG = {
  compilerOptions: {
    target: 'es2024',
    module: 'nodenext',
    strict: true,
    exactOptionalPropertyTypes: true,
    skipLibCheck: false,
    noEmit: true,
    types: ['node'],
  },
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
