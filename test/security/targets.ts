// The ways in which a host application puts a membership to use; the same attacks go against each.
import express, { type ErrorRequestHandler, type Express } from 'express'
import { afterAll, beforeAll } from 'vitest'
import { openSite, type Site, type SiteOptions } from '../support/site.ts'
import { GOOD_PASSWORD } from '../support/visitor.ts'
import { ask, type Call, type Reply } from './wire.ts'

const TARGETS = {
  'the membership alone': {},
  'behind express.json() and urlencoded({ extended: true })': { before: parsers },
  'under the path /members, behind parsers': { path: '/members', before: parsers },
} as const satisfies Record<string, SiteOptions>

type Target = keyof typeof TARGETS
export const TARGET_NAMES = [
  'the membership alone',
  'behind express.json() and urlencoded({ extended: true })',
  'under the path /members, behind parsers',
] as const

/** A host's own error handler, as every production application has one. */
export const plainErrors: ErrorRequestHandler = (error: { status?: number }, _req, res, _next) => {
  res.status(error.status ?? 500).json({ host: 'error' })
}

export async function openTarget(name: Target, options: SiteOptions = {}): Promise<Site> {
  return openSite({
    ...TARGETS[name],
    routes: (app) => {
      // What prototype pollution would leave behind.
      app.get(
        '/probe',
        (_req, res) => void res.json({ x: Reflect.get({}, 'x') ?? null, polluted: Reflect.get({}, 'polluted') ?? null }),
      )
      app.use(plainErrors)
    },
    ...options,
  })
}

/** A target for the tests of one group, and Alice's session there. */
export function attackedSite(target: Target) {
  let site: Site
  let cookie: string
  const at = (path: string): string => site.http.path + path

  /** Attacks may end the session: that is what logout and a new login are for. */
  async function logInAgain(): Promise<void> {
    const alice = site.visitor()
    const headers = { 'content-type': 'application/json' }
    const body = JSON.stringify({ username: 'alice', password: GOOD_PASSWORD })
    await alice.send(at('/api/register'), { method: 'POST', headers, body })
    await alice.send(at('/api/login'), { method: 'POST', headers, body })
    cookie = `guildhall=${await alice.sessionId()}; guildhall-seen=1`
  }

  beforeAll(async () => {
    site = await openTarget(target)
    await logInAgain()
  })
  afterAll(() => site.close())

  return {
    at,
    logInAgain,
    site: () => site,
    cookie: () => cookie,
    send(path: string, type: string, body: Call['body'], headers: Record<string, string> = {}): Promise<Reply> {
      const sent = { cookie, 'content-type': type, accept: 'application/json', ...headers }
      return ask(site.base, path, { method: 'POST', headers: sent, body })
    },
  }
}

function parsers(app: Express): void {
  app.use(express.json(), express.urlencoded({ extended: true }))
}
