// What all measured applications have in common: the same person, the same routes, the same answer.
import type { RequestListener } from 'node:http'
import express, { type Express, type Request, type RequestHandler } from 'express'
import { BARE, CONTROL } from '../contestants.ts'

/** Where an application finds what it needs. */
export interface Place {
  readonly base: string
  /** A folder of its own. */
  readonly folder: string
}

/** Makes an application. What the applications are called is what bench/contestants.ts calls them. */
export type Apps = Readonly<Record<string, (place: Place) => RequestListener | Promise<RequestListener>>>

export const USER = {
  id: '0d5e7e6a-6f0b-4d0e-9a53-0d8f5b1f8a10',
  username: 'benchmark',
  displayName: 'benchmark',
  email: null,
  emailVerified: false,
  roles: [],
  createdAt: '2026-01-01T00:00:00.000Z',
}
export const SECRET = 'a secret of more than thirty-two bytes, for measuring'
export const HOUR_MS = 3_600_000

/** Express as it comes, with the session middleware in front: a login in the data of the session, a route that asks for it, and one that does not. */
export function appBehind(...middleware: readonly RequestHandler[]): Express {
  const app = express()
  for (const each of middleware) app.use(each)
  app.post('/login', (req, res) => {
    Object.assign(req.session, { userId: USER.id })
    res.json({ user: USER })
  })
  app.get('/profile', requireUserId, sendUser)
  app.get('/bare', sendUser)
  return app
}

export const requireUserId: RequestHandler = (req, res, next) => {
  if (userIdOf(req) === undefined) return refuse(req, res, next)
  next()
}

export const sendUser: RequestHandler = (_req, res) => {
  res.json({ user: USER })
}

export const refuse: RequestHandler = (_req, res) => {
  res.status(401).json({ code: 'login_required' })
}

function userIdOf({ session }: Request): unknown {
  return 'userId' in session ? session.userId : undefined
}

/** No session at all: what everything else is compared with. */
export const plainApps: Apps = {
  'node:http': () => (_req, res) => {
    const body = JSON.stringify({ user: USER })
    res.writeHead(200, { 'Content-Type': 'application/json; charset=utf-8', 'Content-Length': Buffer.byteLength(body) })
    res.end(body)
  },
  [BARE.host]: bareExpress,
  [CONTROL]: bareExpress,
}

function bareExpress(): Express {
  return express().get('/profile', sendUser)
}
