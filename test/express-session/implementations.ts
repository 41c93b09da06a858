// The middlewares under test: express-session itself, which confirms the tests, and four configurations of ours.
import type { EventEmitter } from 'node:events'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { createRequire } from 'node:module'
import ours, { type ExpressStore, fromExpressStore } from 'guildhall/session'
import { describe } from 'vitest'

export type Done = (error?: unknown, value?: unknown) => void
export type Options = Readonly<Record<string, unknown>>

export interface Middleware {
  (req: IncomingMessage, res: ServerResponse, next: Done): void
  close?(): Promise<void>
}

export interface AnyCookie {
  path?: string
  domain?: string
  secure?: unknown
  httpOnly?: boolean
  sameSite?: unknown
  partitioned?: boolean
  priority?: string
  expires: Date | string | null | false | undefined
  maxAge: number | null | undefined
  originalMaxAge: number | null | undefined
  toJSON(): Record<string, unknown>
}

/** What both sides promise of `req.session`; callbacks as in express-session. */
export interface AnySession {
  readonly id: string
  cookie: AnyCookie
  regenerate(done?: Done): AnySession
  destroy(done?: Done): AnySession
  reload(done?: Done): AnySession
  save(done?: Done): AnySession
  touch(): AnySession
  resetMaxAge(): AnySession
  views?: number
  user?: string
  [key: string]: unknown
}

/** A row as stores of express-session have it. */
export interface Row {
  cookie: Record<string, unknown>
  [key: string]: unknown
}

export interface AnyStore extends EventEmitter {
  get(id: string, done: (error?: unknown, row?: Row | null) => void): void
  set(id: string, row: unknown, done?: Done): void
  destroy(id: string, done?: Done): void
  touch?(id: string, row: unknown, done?: Done): void
  all(done: (error: unknown, rows: Record<string, Row>) => void): void
  length(done: (error: unknown, length: number) => void): void
  clear(done?: Done): void
  load(id: string, done: (error?: unknown, session?: AnySession) => void): void
  regenerate(req: unknown, done: Done): void
  createSession(req: unknown, row: unknown): AnySession
  generate?(req: unknown): void
}

export interface Exports {
  (options?: Options): Middleware
  Store: new () => AnyStore
  MemoryStore: new () => AnyStore
  Cookie: new (options?: object) => AnyCookie
  Session: new (req: object, data?: object) => AnySession
}

export interface Implementation {
  readonly name: string
  /** Whether this is express-session itself; if both differ on purpose, the test says what each does. */
  readonly isReference: boolean
  /** Whether the store is one of express-session's kind. */
  readonly callbacks: boolean
  readonly session: Exports
  readonly newStore: () => AnyStore
}

const require = createRequire(import.meta.url)
export const theirs: Exports = require('express-session')
const imported = ours as unknown as Exports
const required: Exports = require('guildhall/session')

export const REFERENCE: Implementation = implementation('express-session itself', theirs, () => new theirs.MemoryStore(), true)
export const OUR_IMPLEMENTATIONS: readonly Implementation[] = [
  implementation('guildhall/session', imported, () => new imported.MemoryStore()),
  implementation('guildhall/session with fromExpressStore', adopting(imported), () => new theirs.MemoryStore(), true),
  implementation('guildhall/session required', required, () => new required.MemoryStore()),
  implementation('guildhall/session required, over a store of express-session', required, () => new theirs.MemoryStore(), true),
]

/** The same tests for every implementation. */
export function forEachImplementation(topic: string, body: (implementation: Implementation) => void): void {
  for (const implementation of [REFERENCE, ...OUR_IMPLEMENTATIONS])
    describe(`${topic}: ${implementation.name}`, () => body(implementation))
}

function implementation(name: string, session: Exports, newStore: () => AnyStore, callbacks = false): Implementation {
  return { name, isReference: session === theirs, callbacks, session, newStore }
}

/** The same, with `fromExpressStore` written out; without it a store of express-session is recognised. */
function adopting(session: Exports): Exports {
  const make = (options: Options = {}) => {
    const { store } = options
    const old = typeof store === 'object' && store !== null && !('find' in store)
    return session(old ? { ...options, store: fromExpressStore(store as ExpressStore, { ids: 'plain' }) } : options)
  }
  return Object.assign(make, session)
}
