// A whole site for a real browser, with guarded pages of a host application, and a third-party site.
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Express, Request, Response } from 'express'
import type { Internals } from '../../src/membership.ts'
import { createApp } from '../../src/server/app.ts'
import { configOf } from '../../src/server/config.ts'
import { mergeEnvironment } from '../../src/server/env.ts'
import { createLog } from '../../src/server/logging.ts'
import { createMetrics } from '../../src/server/metrics.ts'
import { listen, openSite, portOf, type Site, type SiteOptions } from '../support/site.ts'

/** `/diary` needs a login, `/vault` a recent one, `/admins` a role, `/basket` begins a session for anybody. */
export async function openEnvironment(options: SiteOptions = {}): Promise<Site> {
  const config = configOf(mergeEnvironment({ LOG_LEVEL: 'silent' }, join(tmpdir(), 'no-such-folder')))
  const log = await createLog(config)
  return openSite({
    ...options,
    routes(app, internals) {
      addHostRoutes(app, internals)
      app.use(
        createApp({
          config,
          internals,
          log,
          metrics: createMetrics(internals.core, []),
          lifecycle: { isStopping: () => false, isClosing: () => false },
        }),
      )
    },
  })
}

function addHostRoutes(app: Express, { membership }: Internals): void {
  const say = (what: string) => (req: Request, res: Response) => {
    res.set('Cache-Control', 'no-store')
    res.send(`<!doctype html><html lang="en"><title>${what}</title><h1>The ${what} of ${req.user?.username}</h1></html>`)
  }
  app.get('/basket', (req, res) => {
    Object.assign(req.session, { apples: 3 })
    res.send('Three apples')
  })
  app.get('/diary', membership.requireLogin, say('diary'))
  app.get('/vault', membership.requireMember({ within: '5m' }), say('vault'))
  app.get('/admins', membership.requireMember({ role: 'admin' }), say('admins'))
}

export interface ThirdPartySite {
  /** `http://127.0.0.1:PORT`: for a browser another site than `localhost`, whatever the port. */
  readonly base: string
  close(): Promise<void>
}

/** Somebody else's site with these bodies of pages by path; `/away?URL` sends on to any address. */
export async function openThirdPartySite(pages: Readonly<Record<string, string>>): Promise<ThirdPartySite> {
  const server = await listen(
    createServer((req, res) => {
      const [path, to] = (req.url ?? '').split('?')
      if (path === '/away') return void res.writeHead(302, { Location: to }).end()
      const body = pages[req.url ?? '']
      res.writeHead(body === undefined ? 404 : 200, { 'Content-Type': 'text/html; charset=utf-8' })
      res.end(`<!doctype html><title>Elsewhere</title>${body ?? 'nothing'}`)
    }),
  )
  return {
    base: `http://127.0.0.1:${portOf(server)}`,
    async close() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
