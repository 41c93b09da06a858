// Finds the route of a request by its exact path, so that guard and router see one path.
import type { Request, Response } from 'express'
import { MembershipError } from '../domain/errors.ts'
import type { HttpContext } from './http-context.ts'
import { isRead } from './origin-check.ts'
import { RequestContext } from './request-context.ts'
import { refuse, setHeaders, setSharedHeaders } from './respond.ts'
import { patternOf, type Route } from './routes.ts'

interface Entry {
  readonly methods: Map<string, Route>
  /** The application shows the page at this path: reads go on to it. */
  readonly hasOwnPage: boolean
}

/** What serves this request, or undefined where the path is none of ours. */
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
    if (asset) return (_req, res) => sendAsset(req, res, asset)
    const found = match(path)
    if (!found || (found.entry.hasOwnPage && isRead(req))) return undefined
    return (_req, res) => serve(http, found.entry, found.params, req, res)
  }
}

function serve(http: HttpContext, { methods }: Entry, params: RequestContext['params'], req: Request, res: Response): void {
  setHeaders(req, res)
  const cors = allowListedOrigin(http, req, res)
  const route = methods.get(req.method === 'HEAD' ? 'GET' : req.method)
  if (route) {
    const context = new RequestContext(http, req, res, route.endpoint, params)
    route.serve(context).catch((error: unknown) => failLate(http, req, res, error))
    return
  }
  res.setHeader('Allow', [...methods.keys(), 'OPTIONS'].join(', '))
  if (req.method === 'OPTIONS') return answerPreflight(res, cors)
  refuse(http, req, res, new MembershipError('method_not_allowed'))
}

/** Something broke while an answer was written. */
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
  res.setHeader('Cross-Origin-Resource-Policy', 'cross-origin')
  return true
}

function answerPreflight(res: Response, listed: boolean): void {
  if (listed) {
    res.setHeader('Access-Control-Allow-Methods', 'GET, POST')
    res.setHeader('Access-Control-Allow-Headers', 'Content-Type')
  }
  res.status(204).end()
}

function sendAsset(req: Request, res: Response, { type, body, etag }: { type: string; body: string; etag: string }): void {
  if (!isRead(req)) {
    setHeaders(req, res)
    res.setHeader('Allow', 'GET, HEAD')
    return void res.status(405).end()
  }
  setSharedHeaders(req, res, 'public, max-age=31536000, immutable')
  res.setHeader('ETag', etag)
  res.setHeader('Content-Type', type)
  if (req.headers['if-none-match'] === etag) return void res.status(304).end()
  res.end(req.method === 'HEAD' ? undefined : body)
}
