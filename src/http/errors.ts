// The status and the texts of every refusal.

import type { Request } from 'express'
import type { z } from 'zod'
import { isFileFailure } from '../database/sqlite/error-codes.ts'
import { isError } from '../domain/builtins.ts'
import { type ErrorCode, type FieldError, MembershipError } from '../domain/errors.ts'
import { errorTexts, fieldText } from '../i18n/messages.ts'
import type { Translate } from '../i18n/translate.ts'
import type { Endpoint, HttpContext } from './http-context.ts'
import { translatorFor } from './request-context.ts'
import { requestIdOf } from './request-id.ts'
import type { ProblemShape } from './shapes.ts'

interface Refused {
  readonly status: number
  /** Whether the form is rendered again, with the kept values. */
  readonly rerenders?: true
  /** Whether the try was rejected without a result. */
  readonly unjudged?: true
}

export const REFUSALS: Readonly<Record<ErrorCode, Refused>> = {
  malformed: { status: 400 },
  invalid_input: { status: 422, rerenders: true },
  invalid_credentials: { status: 401, rerenders: true },
  invalid_code: { status: 401, rerenders: true },
  invalid_token: { status: 422, rerenders: true },
  login_required: { status: 401 },
  recent_login_required: { status: 403 },
  forbidden: { status: 403 },
  already_logged_in: { status: 403 },
  cross_site_request: { status: 403 },
  username_taken: { status: 409, rerenders: true },
  registration_closed: { status: 403 },
  refused: { status: 403, rerenders: true },
  not_found: { status: 404 },
  method_not_allowed: { status: 405 },
  wrong_host: { status: 421 },
  body_too_large: { status: 413 },
  unsupported_media_type: { status: 415 },
  too_many_requests: { status: 429, rerenders: true, unjudged: true },
  overloaded: { status: 503, rerenders: true, unjudged: true },
  store_unavailable: { status: 503, rerenders: true },
  internal: { status: 500 },
}

export function statusOf(code: ErrorCode): number {
  return REFUSALS[code].status
}

export function problemOf(http: HttpContext, req: Request, error: MembershipError): z.output<typeof ProblemShape> {
  const t = translatorFor(http, req)
  const { title, detail } = refusalTexts(http, t, error, 'api')
  const fields = fieldMessages(t, error.errors)
  return {
    type: `urn:guildhall:problem:${error.code}`,
    title,
    status: statusOf(error.code),
    code: error.code,
    detail,
    ...(error.reason !== undefined && { reason: error.reason }),
    ...(fields.length > 0 && { errors: fields }),
    requestId: requestIdOf(req),
  }
}

export function refusalTexts(
  http: HttpContext,
  t: Translate<string>,
  error: MembershipError,
  endpoint: Endpoint,
): { title: string; detail: string } {
  const texts = errorTexts(t, error.code, endpoint)
  if (error.text !== undefined) return { ...texts, detail: error.text }
  if (error.code === 'too_many_requests' && error.retryAfter !== undefined)
    return { ...texts, detail: t('error.too_many_requests.after', { wait: t.span(error.retryAfter) }) }
  const more = moreOf(http, t, error, endpoint)
  return more === undefined ? texts : { ...texts, detail: `${texts.detail} ${more}` }
}

/** A second sentence: how this request should have been sent. */
function moreOf(http: HttpContext, t: Translate<string>, error: MembershipError, endpoint: Endpoint): string | undefined {
  if (error.code === 'cross_site_request' && !http.core.settings.production)
    return t('error.cross_site_request.development', { baseUrl: http.origin })
  if (error.otherPath === undefined) return undefined
  const key = endpoint === 'api' ? 'error.unsupported_media_type.other_api' : 'error.unsupported_media_type.other'
  return t(key, { path: error.otherPath })
}

export function fieldMessages(t: Translate<string>, errors: readonly FieldError[]) {
  return errors.map((error) => ({ field: error.field, code: error.code, message: fieldText(t, error) }))
}

/** Turns anything thrown into a refusal: a failing store into `store_unavailable`, any other bug into `internal`. Logs both. */
export function asRefusal(http: HttpContext, req: Request, error: unknown): MembershipError {
  if (error instanceof MembershipError) return error
  const isStoreAway = isStoreFailure(error)
  const fields = { err: error, requestId: requestIdOf(req) }
  http.core.log.error(fields, isStoreAway ? 'the store does not answer' : 'a request failed')
  if (isStoreAway) return new MembershipError('store_unavailable', { cause: error, retryAfter: 1 })
  return new MembershipError('internal', { cause: error })
}

const STORE_FAILURES = new Set(['store_busy', 'store_unavailable'])

export function isStoreFailure(error: unknown): boolean {
  if (isFileFailure(error)) return true
  return isError(error) && 'code' in error && typeof error.code === 'string' && STORE_FAILURES.has(error.code)
}

/** The refusal as an error for Express's error handlers: `status`, `expose`, `headers`, `code`. */
export function asHostError(http: HttpContext, req: Request, thrown: unknown): Error {
  const refusal = asRefusal(http, req, thrown)
  const { code, reason } = refusal
  const status = statusOf(code)
  const { detail } = refusalTexts(http, translatorFor(http, req), refusal, 'page')
  return Object.assign(new Error(detail, { cause: thrown }), {
    status,
    expose: status < 500,
    code,
    ...(reason !== undefined && { reason }),
    // Express's default error handler sends them.
    ...(refusal.retryAfter !== undefined && { headers: { 'Retry-After': String(refusal.retryAfter) } }),
  })
}
