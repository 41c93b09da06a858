// express-session for the tests, without its types, which would change `req.session` in the whole project.
import type { EventEmitter } from 'node:events'
import { createRequire } from 'node:module'
import type { RequestHandler } from 'express'
import type { ExpressStore } from 'guildhall/session'

interface ExpressSession {
  (options: Readonly<Record<string, unknown>>): RequestHandler
  readonly MemoryStore: new () => EventEmitter & ExpressStore
}

export const expressSession: ExpressSession = createRequire(import.meta.url)('express-session')
