// One declaration, two endpoints: an action is declared once and served as a page and as JSON, with the same checks in the same order.
import type { z } from 'zod'
import type { Caller } from '../core/caller.ts'
import type { Core } from '../core/core.ts'
import { unmetRequirement } from '../core/live-session.ts'
import type { Awaitable } from '../domain/awaitable.ts'
import type { ErrorCode, MembershipError } from '../domain/errors.ts'
import type { Notice } from '../i18n/messages.ts'
import { checkInput } from './check-input.ts'
import { asRefusal } from './errors.ts'
import type { Endpoint } from './http-context.ts'
import { limited, type RouteLimit } from './limits.ts'
import { askForLogin } from './login-required.ts'
import type { Page } from './page.ts'
import { type RawInput, readInput } from './read-input.ts'
import type { RequestContext } from './request-context.ts'
import { sendErrorPage, sendJson, sendNothing, sendProblem, sendTo } from './respond.ts'
import { localPath } from './return-to.ts'

export type Action<Schema extends z.ZodType, Result, Body extends z.ZodType = z.ZodUndefined> = Declared<Schema, Result, Body> &
  (
    | { readonly endpoints?: WithApi; readonly api: ApiDoor<Body> }
    | { readonly endpoints: readonly 'page'[]; readonly api?: undefined }
  )

interface Declared<Schema extends z.ZodType, Result, Body extends z.ZodType> {
  readonly path: string
  /** Default: `post`. A `get` reads and changes nothing. */
  readonly method?: 'get' | 'post'
  readonly guard: 'anybody' | 'member'
  readonly input: Schema
  /** Counted before any work, in this order. */
  readonly limits?: readonly RouteLimit<z.output<Schema>>[]
  /** The page that holds the form: served to GET, and again with what was wrong. */
  readonly page?: Page
  run(core: Core, input: z.output<Schema>, caller: Caller): Awaitable<Result>
  /** Hears of tries that were turned away before they were judged: `too_many_requests`, `overloaded`. */
  onRejected?(core: Core, code: ErrorCode, caller: Caller): void
  /** What a success answers. */
  answer(result: Result, exchange: RequestContext, input: z.output<Schema>): Answer<z.output<Body>>
}

/** Where the action can be reached. Default: both. */
type WithApi = readonly ['page', 'api'] | readonly ['api']

/** What the JSON endpoint answers. The description of the API is made from it, for developers and in English. */
export interface ApiDoor<Body extends z.ZodType = z.ZodType> {
  readonly summary: string
  /** Of a success. Default: 200 with a body, 204 without. */
  readonly status?: 200 | 201 | 202
  /** Without it there is nothing to say. */
  readonly body?: Body
  /** Refusals of its own, besides those that guard, limits and input bring along. */
  readonly refuses?: readonly ErrorCode[]
}

export type Answer<Body> = Onward & (undefined extends Body ? { readonly body?: undefined } : { readonly body: Body })

interface Onward {
  /** The full local path of the next page. */
  readonly to?: string
  /** What the next page says at its top. */
  readonly notice?: Notice
}

/** An action at one endpoint. The router serves it; it knows no types of its action. */
export interface Route {
  readonly method: 'GET' | 'POST'
  readonly path: string
  readonly endpoint: Endpoint
  /** What the description of the API says of it. */
  readonly described?: Described | undefined
  serve(exchange: RequestContext): Promise<void>
}

export interface Described extends ApiDoor {
  readonly guard: 'anybody' | 'member'
  readonly input: z.ZodType
  readonly isLimited: boolean
}

interface Describable extends Pick<Described, 'guard' | 'input'> {
  readonly api?: ApiDoor | undefined
  readonly limits?: readonly unknown[]
}

export function action<Schema extends z.ZodType, Result, Body extends z.ZodType = z.ZodUndefined>(
  declared: Action<Schema, Result, Body>,
): readonly Route[] {
  const { path, page, method = 'post', endpoints = ['page', 'api'] } = declared
  const routes: Route[] = []
  if (page) routes.push({ method: 'GET', path, endpoint: 'page', serve: (exchange) => showPage(declared, page, exchange) })
  const perform = (exchange: RequestContext) => performAction(declared, exchange)
  for (const endpoint of endpoints) {
    const described = endpoint === 'api' ? describe(declared) : undefined
    routes.push({ method: method === 'get' ? 'GET' : 'POST', path, endpoint, serve: perform, described })
  }
  return routes
}

function describe({ api, guard, input, limits = [] }: Describable): Described | undefined {
  return api && { ...api, guard, input, isLimited: limits.length > 0 }
}

async function showPage(
  { guard }: { readonly guard: 'anybody' | 'member' },
  page: Page,
  exchange: RequestContext,
): Promise<void> {
  const { http, req, res, endpoint, core, caller } = exchange
  if (guard === 'member' && unmetRequirement(caller.session, {}, core.clock))
    return askForLogin(http, req, res, endpoint, 'login_required')
  if (page.guestsOnly && caller.session?.user) return sendTo(res, localPath(exchange.query('returnTo')) ?? http.home)
  try {
    await page.show(exchange)
  } catch (thrown) {
    sendErrorPage(exchange, asRefusal(http, req, thrown))
  }
}

async function performAction<Schema extends z.ZodType, Result, Body extends z.ZodType>(
  declared: Action<Schema, Result, Body>,
  exchange: RequestContext,
): Promise<void> {
  const { http, req, res, endpoint, core, caller } = exchange
  if (declared.guard === 'member' && unmetRequirement(caller.session, {}, core.clock))
    return askForLogin(http, req, res, endpoint, 'login_required')
  try {
    const raw = declared.method === 'get' ? {} : await readInput(req, res, endpoint)
    exchange.formValues = keptValues(raw)
    const input = checkInput(declared.input, { ...raw, ...exchange.params }, endpoint === 'page')
    const result = await limited(declared.limits ?? [], caller, input, () => declared.run(core, input, caller))
    sendAnswer(exchange, declared.answer(result, exchange, input), declared.api)
  } catch (thrown) {
    const refusal = asRefusal(http, req, thrown)
    if (REJECTED_UNJUDGED.has(refusal.code)) declared.onRejected?.(core, refusal.code, caller)
    await sendRefusal(declared.page, exchange, refusal)
  }
}

function sendAnswer(exchange: RequestContext, answer: Onward & { readonly body?: unknown }, api: ApiDoor | undefined): void {
  const { http, res, endpoint } = exchange
  const { body, to = http.home, notice } = answer
  if (endpoint === 'page') return sendTo(res, notice === undefined ? to : withNotice(to, notice))
  if (body === undefined) return sendNothing(res)
  sendJson(res, api?.status ?? 200, body)
}

async function sendRefusal(page: Page | undefined, exchange: RequestContext, error: MembershipError): Promise<void> {
  const { http, req, res, endpoint } = exchange
  if (endpoint === 'api') return sendProblem(http, req, res, error)
  if (error.code === 'login_required') return askForLogin(http, req, res, endpoint, error.code)
  if (!page || !SHOWS_FORM_AGAIN.has(error.code)) return sendErrorPage(exchange, error)
  await page.showRefused(exchange, error)
}

/** Refusals that say nothing about the input. */
const REJECTED_UNJUDGED = new Set<ErrorCode>(['too_many_requests', 'overloaded'])

/** Refusals that show the form again, with what was entered. */
const SHOWS_FORM_AGAIN = new Set([
  'invalid_input',
  'invalid_credentials',
  'username_taken',
  'refused',
  'too_many_requests',
  'overloaded',
  'store_unavailable',
])

function keptValues(raw: RawInput): Record<string, string> {
  const shown: Record<string, string> = {}
  for (const [name, value] of Object.entries(raw)) {
    const isSecret = /password/i.test(name)
    if (typeof value === 'string' && !isSecret) shown[name] = value
  }
  return shown
}

function withNotice(to: string, notice: Notice): string {
  const hash = to.indexOf('#')
  const [path, fragment] = hash < 0 ? [to, ''] : [to.slice(0, hash), to.slice(hash)]
  return `${path}${path.includes('?') ? '&' : '?'}notice=${notice}${fragment}`
}
