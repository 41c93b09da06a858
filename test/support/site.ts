// A whole site for a test: Express with a membership on a database of its own, over real HTTP.
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import express, { type Express } from 'express'
import { type Internals, openInternals } from '../../src/membership.ts'
import type { MembershipOptions } from '../../src/settings/options.ts'
import { type TestClock, testClock } from './clock.ts'
import type { KeptInRedis } from './database-inspector.ts'
import { borrowDatabase } from './postgres.ts'
import { Visitor } from './visitor.ts'

export interface Site extends Internals {
  readonly app: Express
  /** `http://localhost:PORT`, the membership's base URL unless a test set another. */
  readonly base: string
  readonly clock: TestClock
  /** `sqlite:PATH` or `postgres://...`, for `inDatabase` and other processes. */
  readonly database: string
  /** The Redis of its sessions and counters, if there is one. */
  readonly redis: KeptInRedis | undefined
  readonly logs: LogLine[]
  visitor(): Visitor
  close(): Promise<void>
}

export interface LogLine {
  readonly level: string
  readonly message: string
  readonly fields: object
}

export interface SiteOptions extends Partial<Omit<MembershipOptions, 'clock' | 'logger'>> {
  /** Routes of the host application, behind the membership. */
  readonly routes?: (app: Express, internals: Internals) => void
  /** What the host puts in front of the membership. */
  readonly before?: (app: Express) => void
  readonly trustProxy?: number | string | boolean
}

/** Cheap hashes: `test/passwords` tests the real ones. Production refuses these. */
export const CHEAP_HASHES = { memoryKiB: 1024, passes: 1 } as const

/** Whether sites use PostgreSQL by default: the second run of the tests of the application. */
export const ON_POSTGRES = process.env.GUILDHALL_TEST_DATABASE === 'postgres'
/** The same for sessions and counters in Redis. */
export const ON_REDIS = process.env.GUILDHALL_TEST_REDIS === '1'

/** Opens a site; throttles are off unless the test is about them. */
export async function openSite({ routes, before, trustProxy, ...options }: SiteOptions = {}): Promise<Site> {
  const folder = mkdtempSync(join(tmpdir(), 'guildhall-'))
  const app = express()
  const server = await listen(createServer(app))
  const base = `http://localhost:${portOf(server)}`
  const clock = testClock()
  const logs: LogLine[] = []
  const onServer = options.database === undefined && ON_POSTGRES ? await borrowDatabase() : undefined
  const inRedis = options.redis === undefined && ON_REDIS ? await (await import('./redis.ts')).makeRedis() : undefined
  const database = onServer?.url ?? `sqlite:${join(folder, 'members.db')}`
  const log = (level: string) => (fields: object, message: string) => void logs.push({ level, message, fields })
  const internals = openInternals({
    baseUrl: base,
    database,
    ...(inRedis && { redis: inRedis.url, redisPrefix: inRedis.prefix }),
    rateLimit: false,
    production: false,
    ...options,
    passwords: { ...CHEAP_HASHES, ...options.passwords },
    clock,
    logger: { debug: log('debug'), info: log('info'), warn: log('warn'), error: log('error') },
  })
  await internals.membership.migrate()
  if (trustProxy !== undefined) app.set('trust proxy', trustProxy)
  before?.(app)
  app.use(internals.membership)
  routes?.(app, internals)
  return {
    ...internals,
    app,
    base,
    clock,
    database: typeof options.database === 'string' ? options.database : database,
    redis: inRedis && { url: inRedis.url, prefix: inRedis.prefix },
    logs,
    visitor: () => new Visitor(base),
    async close() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
      await internals.membership.close()
      await onServer?.drop()
      await inRedis?.drop()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

export async function listen(server: Server): Promise<Server> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return server
}

export function portOf(server: Server): number {
  const address: AddressInfo | string | null = server.address()
  if (address === null || typeof address === 'string') throw new Error('the server does not listen on a port')
  return address.port
}
