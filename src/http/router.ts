// Finds the route of a request by its exact path, so that guards and router agree on it.
import type { Request, Response } from 'express'
import type { HttpContext } from './http-context.ts'
import { isRead } from './origin-check.ts'
import { RequestContext } from './request-context.ts'
import { refuse, refuseMethod, sendWithoutSlash, setHeaders } from './respond.ts'
import { patternOf, type Route } from './routes.ts'
import { sendStaticFile } from './send-static-file.ts'
import type { StaticFile } from './static-file.ts'

interface Entry {
  readonly methods: Map<string, Route>
  /** Whether the application has a page at this path, which gets the reads. */
  readonly hasOwnPage: boolean
}

/** Returns a function that serves the request; undefined if the path is none of ours. */
export type Router = (req: Request) => ((req: Request, res: Response) => void) | undefined

export function createRouter(http: HttpContext, routes: readonly Route[]): Router {
  const entries = new Map<string, Entry>()
  for (const route of routes) {
    const { method, path, hasOwnPage } = route
    const entry = entries.get(path) ?? { methods: new Map<string, Route>(), hasOwnPage }
    entry.methods.set(method, route)
    entries.set(path, entry)
  }
  const withParams = [...entries]
    .filter(([path]) => path.includes('/:'))
    .map(([path, entry]) => ({ entry, pattern: patternOf(path) }))

  const match = (path: string): { entry: Entry; params: RequestContext['params'] } | undefined => {
    const entry = path.includes(':') ? undefined : entries.get(path)
    if (entry) return { entry, params: {} }
    for (const { entry, pattern } of withParams) {
      const params = pattern.exec(path)?.groups
      if (params) return { entry, params }
    }
    return undefined
  }

  return (req) => {
    const { path } = req
    if (!path.startsWith(http.path)) return undefined
    const asset = http.assets.get(path.slice(http.path.length))
    if (asset) return (_req, res) => serveAsset(http, asset, req, res)
    const found = match(path)
    // A write is not redirected: its data was meant for another address.
    if (!found && path.endsWith('/') && isRead(req))
      return match(path.slice(0, -1))?.entry.methods.has('GET') ? sendWithoutSlash : undefined
    if (!found || (found.entry.hasOwnPage && isRead(req))) return undefined
    return (_req, res) => serve(http, found.entry, found.params, req, res)
  }
}

function serve(http: HttpContext, entry: Entry, params: RequestContext['params'], req: Request, res: Response): void {
  setHeaders(res)
  const isListed = allowListedOrigin(http, req, res)
  const route = entry.methods.get(req.method === 'HEAD' ? 'GET' : req.method)
  if (!route) return refuseMethod(http, req, res, methodsOf(entry), isListed)
  const context = new RequestContext(http, req, res, route.endpoint, params)
  route.serve(context).catch((error: unknown) => failLate(http, req, res, error))
}

function methodsOf({ methods, hasOwnPage }: Entry): readonly string[] {
  const reads = methods.has('GET') || hasOwnPage ? ['GET', 'HEAD'] : []
  return [...reads, ...[...methods.keys()].filter((method) => method !== 'GET')]
}

function serveAsset(http: HttpContext, asset: StaticFile, req: Request, res: Response): void {
  if (isRead(req)) return sendStaticFile(req, res, asset, 'public, max-age=31536000, immutable')
  setHeaders(res)
  refuseMethod(http, req, res, ['GET', 'HEAD'])
}

/** An error while a response was written. */
function failLate(http: HttpContext, req: Request, res: Response, error: unknown): void {
  if (res.headersSent) {
    http.core.log.error({ err: error }, 'an answer broke off')
    res.destroy()
    return
  }
  refuse(http, req, res, error)
}

/** CORS for the listed origins alone; an origin is never reflected. */
function allowListedOrigin({ core: { settings } }: HttpContext, req: Request, res: Response): boolean {
  const { origin } = req.headers
  if (origin === undefined || !settings.trustedOrigins.includes(origin)) return false
  res.setHeader('Access-Control-Allow-Origin', origin)
  res.setHeader('Access-Control-Allow-Credentials', 'true')
  res.setHeader('Access-Control-Expose-Headers', 'Retry-After, X-Request-Id')
  res.setHeader('Cross-Origin-Resource-Policy', 'cross-origin')
  return true
}
