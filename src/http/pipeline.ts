// The steps of every request in their order, from the origin check to the response.
import type { RequestHandler } from 'express'
import type { z } from 'zod'
import { unmetRequirement } from '../core/live-session.ts'
import type { MembershipError } from '../domain/errors.ts'
import type { ActionDeclaration, Api, Guard, Redirect } from './action-types.ts'
import { checkInput, keptValues } from './check-input.ts'
import { asHostError, asRefusal, isStoreFailure, REFUSALS } from './errors.ts'
import type { HttpContext } from './http-context.ts'
import { limited, type RouteLimit } from './limits.ts'
import { askForLogin } from './login-required.ts'
import { isAllowedOrigin, isUnsafe, mayCarryCookie } from './origin-check.ts'
import type { Page } from './page.ts'
import { ProxyCheck } from './proxy-check.ts'
import { readInput, readQuery } from './read-input.ts'
import type { RequestContext } from './request-context.ts'
import { extendRequest } from './request-extensions.ts'
import { refuse, refuseCrossSite, sendErrorPage, sendJson, sendProblem, sendTo, setHeaders } from './respond.ts'
import { localPath, withReturnTo } from './return-to.ts'
import type { Router } from './router.ts'

/** Every request: schema, origin, session, our paths; all others go on to the application. */
export function createPipeline(http: HttpContext, route: Router): RequestHandler {
  let isMigrated = false
  const proxyCheck = new ProxyCheck(http.core.log)
  return function handle(req, res, next): void {
    const serve = route(req)
    /** A failure on our paths is answered here, on any other by the application's error handler. */
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
      // A missing migration is an error for the developer; a store that is away comes back.
      const failed = (error: unknown) => (isStoreFailure(error) ? fail(error) : next(error))
      http.core.db.check().then(goOn).catch(failed)
      return
    }
    if (req.baseUrl !== '')
      return next(new TypeError("app.use(membership) takes no mount path; the option path: '/members' moves its pages"))
    if (!proxyCheck.isDone) proxyCheck.check(req)
    // Checked before anything is parsed, loaded or saved.
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
interface BoundAction<Schema extends z.ZodType, Result, Body extends z.ZodType>
  extends Omit<ActionDeclaration<Schema, Result, Body>, 'input' | 'method' | 'limit'> {
  readonly method: 'GET' | 'POST'
  readonly input: Schema
  readonly limit: readonly RouteLimit<z.output<Schema>>[]
  /** The fields whose values are kept for a re-rendered form. */
  readonly kept: readonly string[]
  /** The path of the application's page that replaces ours. */
  readonly ownPage: string | undefined
}

export async function performAction<Schema extends z.ZodType, Result, Body extends z.ZodType>(
  action: BoundAction<Schema, Result, Body>,
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

/** The path of the same act at the other endpoint: page or JSON. */
function otherPathOf(
  { page, api }: Pick<BoundAction<z.ZodType, unknown, z.ZodType>, 'page' | 'api'>,
  { http, req, endpoint }: RequestContext,
) {
  if (page === false || !api) return undefined
  const local = req.path.slice(http.path.length)
  return endpoint === 'page' ? `${http.path}/api${local}` : http.path + local.slice('/api'.length)
}

function mayPass(guard: Guard, { caller, core }: RequestContext): boolean {
  return guard !== 'member' || unmetRequirement(caller.session, {}, core.clock) === undefined
}

function sendAnswer(context: RequestContext, answer: Redirect & { readonly body?: unknown }, api: Api | false): void {
  const { http, res, endpoint } = context
  const { body, to = http.home, notice } = answer
  if (endpoint === 'page') {
    // Other pages of the application do not show our notices.
    const showsNotice = notice !== undefined && http.isOurPath(to) && context.t.has(`notice.${notice}`)
    return sendTo(res, showsNotice ? withNotice(to, notice) : to)
  }
  if (body === undefined) return void res.status(api === false ? 204 : (api.status ?? 204)).end()
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
