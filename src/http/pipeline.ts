// The order in which every request is checked and served, from the origin check to the answer.
import type { RequestHandler } from 'express'
import type { z } from 'zod'
import { unmetRequirement } from '../core/live-session.ts'
import type { MembershipError } from '../domain/errors.ts'
import type { Api, Declared, Guard, Onward } from './action-types.ts'
import { checkInput, keptValues } from './check-input.ts'
import { asHostError, asRefusal, isStoreFailure, REFUSALS } from './errors.ts'
import type { HttpContext } from './http-context.ts'
import { limited, type RouteLimit } from './limits.ts'
import { askForLogin } from './login-required.ts'
import { isAllowedOrigin, isUnsafe, mayCarryCookie } from './origin-check.ts'
import type { Page } from './page.ts'
import { ProxyWatch } from './proxy-watch.ts'
import { readInput, readQuery } from './read-input.ts'
import type { RequestContext } from './request-context.ts'
import { extendRequest } from './request-extensions.ts'
import { refuse, refuseCrossSite, sendErrorPage, sendJson, sendProblem, sendTo, setHeaders } from './respond.ts'
import { localPath, withReturnTo } from './return-to.ts'
import type { Router } from './router.ts'

/** Every request: schema, origin, session, our paths; everything else goes on to the host. */
export function createPipeline(http: HttpContext, route: Router): RequestHandler {
  let isMigrated = false
  const proxyWatch = new ProxyWatch(http.core.log)
  return function handle(req, res, next): void {
    const serve = route(req)
    /** A failure on our paths is answered by us, on those of the host by the host. */
    const fail = (error: unknown) => {
      if (!serve) return next(asHostError(http, req, error))
      setHeaders(res)
      refuse(http, req, res, error)
    }
    if (!isMigrated) {
      const goOn = () => {
        isMigrated = true
        handle(req, res, next)
      }
      // That nobody migrated is the programmer's to read; a store that is away comes back.
      const failed = (error: unknown) => (isStoreFailure(error) ? fail(error) : next(error))
      http.core.db.check().then(goOn).catch(failed)
      return
    }
    if (req.baseUrl !== '')
      return next(new TypeError("app.use(membership) takes no mount path; the option path: '/members' moves its pages"))
    if (!proxyWatch.isDone) proxyWatch.look(req)
    // Before anything is parsed, loaded or saved.
    if (isUnsafe(req.method) && (serve !== undefined || mayCarryCookie(http, req)) && !isAllowedOrigin(http, req)) {
      return refuseCrossSite(http, req, res)
    }
    extendRequest(http, req)
    http.sessions.handle(req, res, (error?: unknown) => {
      if (error !== undefined && error !== null) return fail(error)
      if (serve) return serve(req, res)
      next()
    })
  }
}

export async function showPage(guard: Guard, page: Page, context: RequestContext): Promise<void> {
  const { http, req, res, endpoint, caller } = context
  if (!mayPass(guard, context)) return askForLogin(http, req, res, endpoint, 'login_required')
  if (guard === 'guest' && caller.session?.user) return sendTo(res, localPath(context.query('returnTo')) ?? http.home)
  try {
    await page.show(context)
  } catch (thrown) {
    sendErrorPage(context, asRefusal(http, req, thrown))
  }
}

/** An action with these settings. */
interface Bound<Schema extends z.ZodType, Result, Body extends z.ZodType>
  extends Omit<Declared<Schema, Result, Body>, 'input' | 'method' | 'limit'> {
  readonly method: 'GET' | 'POST'
  readonly input: Schema
  readonly limit: readonly RouteLimit<z.output<Schema>>[]
  /** The fields that are shown again. */
  readonly kept: readonly string[]
  /** The application's page in the place of ours. */
  readonly ownPage: string | undefined
}

export async function performAction<Schema extends z.ZodType, Result, Body extends z.ZodType>(
  action: Bound<Schema, Result, Body>,
  context: RequestContext,
): Promise<void> {
  const { http, req, res, endpoint, core, caller } = context
  if (!mayPass(action.guard, context)) return askForLogin(http, req, res, endpoint, 'login_required')
  try {
    const raw =
      action.method === 'GET' ? readQuery(req, action.kept) : await readInput(req, res, endpoint, otherPathOf(action, context))
    context.formValues = keptValues(action.kept, raw)
    const input = checkInput(action.input, { ...raw, ...context.params }, endpoint === 'page')
    const result = await limited(action.limit, { core, caller, input }, () => action.run(core, input, caller))
    sendAnswer(context, action.answer(result, context, input), action.api)
  } catch (thrown) {
    const refusal = asRefusal(http, req, thrown)
    if (REFUSALS[refusal.code].unjudged) action.onRejected?.(core, refusal.code, caller)
    await sendRefusal(action, context, refusal)
  }
}

/** The same act by form where this is JSON, and the other way round. */
function otherPathOf(
  { page, api }: Pick<Bound<z.ZodType, unknown, z.ZodType>, 'page' | 'api'>,
  { http, req, endpoint }: RequestContext,
) {
  if (page === false || !api) return undefined
  const local = req.path.slice(http.path.length)
  return endpoint === 'page' ? `${http.path}/api${local}` : http.path + local.slice('/api'.length)
}

function mayPass(guard: Guard, { caller, core }: RequestContext): boolean {
  return guard !== 'member' || unmetRequirement(caller.session, {}, core.clock) === undefined
}

function sendAnswer(context: RequestContext, answer: Onward & { readonly body?: unknown }, api: Api | false): void {
  const { http, res, endpoint } = context
  const { body, to = http.home, notice } = answer
  if (endpoint === 'page') {
    // Another page of the application's does not know our notices.
    const isTold = notice !== undefined && http.isOurPath(to) && context.t.has(`notice.${notice}`)
    return sendTo(res, isTold ? withNotice(to, notice) : to)
  }
  if (body === undefined) return void res.status(204).end()
  sendJson(res, api === false ? 200 : (api.status ?? 200), body)
}

async function sendRefusal(
  { page, ownPage }: { readonly page?: Page | false; readonly ownPage: string | undefined },
  context: RequestContext,
  error: MembershipError,
): Promise<void> {
  const { http, req, res, endpoint } = context
  if (endpoint === 'api') return sendProblem(http, req, res, error)
  if (error.code === 'login_required') return askForLogin(http, req, res, endpoint, error.code)
  if (ownPage !== undefined) return sendErrorPage(context, error, withReturnTo(ownPage, context.returnTo))
  if (!page || !REFUSALS[error.code].rerenders) return sendErrorPage(context, error)
  await page.showRefused(context, error)
}

function withNotice(to: string, notice: string): string {
  const hash = to.indexOf('#')
  const [path, fragment] = hash < 0 ? [to, ''] : [to.slice(0, hash), to.slice(hash)]
  return `${path}${path.includes('?') ? '&' : '?'}notice=${notice}${fragment}`
}
