// The ways in which a host application puts a membership to use; the same attacks go against each.
import express, { type ErrorRequestHandler, type Express } from 'express'
import { openSite, type Site, type SiteOptions } from '../support/site.ts'

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

function parsers(app: Express): void {
  app.use(express.json(), express.urlencoded({ extended: true }))
}
