// The one place that knows the status of each refusal, and how a refusal looks: a problem in JSON, a page, an error for the host.
import type { Request } from 'express'
import { isFileFailure } from '../database/sqlite/error-codes.ts'
import { type ErrorCode, type FieldError, MembershipError } from '../domain/errors.ts'
import { errorTexts, fieldText } from '../i18n/messages.ts'
import type { Translate } from '../i18n/translate.ts'
import type { HttpContext } from './http-context.ts'
import { requestIdOf, translatorFor } from './request-context.ts'

const STATUS: Readonly<Record<ErrorCode, number>> = {
  malformed: 400,
  invalid_input: 422,
  invalid_credentials: 401,
  login_required: 401,
  recent_login_required: 403,
  forbidden: 403,
  already_logged_in: 403,
  cross_site_request: 403,
  username_taken: 409,
  registration_closed: 403,
  refused: 403,
  not_found: 404,
  method_not_allowed: 405,
  wrong_host: 421,
  body_too_large: 413,
  unsupported_media_type: 415,
  too_many_requests: 429,
  overloaded: 503,
  store_unavailable: 503,
  internal: 500,
}

export function statusOf(code: ErrorCode): number {
  return STATUS[code]
}

/** RFC 9457. `code` and `type` are API and never change; `title` and `detail` are in the visitor's language. */
export interface Problem {
  readonly type: string
  readonly title: string
  readonly status: number
  readonly code: ErrorCode
  readonly detail: string
  /** Of `refused`: the host application's own code. */
  readonly reason?: string
  readonly errors?: readonly { readonly field: string; readonly code: string; readonly message: string }[]
  readonly requestId: string
}

export function problemOf(http: HttpContext, req: Request, error: MembershipError): Problem {
  const t = translatorFor(http, req)
  const { title, detail } = refusalTexts(http, t, error)
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

export function refusalTexts(http: HttpContext, t: Translate, error: MembershipError): { title: string; detail: string } {
  const texts = errorTexts(t, error.code)
  if (error.text !== undefined) return { ...texts, detail: error.text }
  const explain = error.code === 'cross_site_request' && !http.production
  if (!explain) return texts
  return { ...texts, detail: `${texts.detail} ${t('error.cross_site_request.development', { baseUrl: http.origin })}` }
}

export function fieldMessages(t: Translate, errors: readonly FieldError[]) {
  return errors.map((error) => ({ field: error.field, code: error.code, message: fieldText(t, error) }))
}

/**
 * What was thrown, as a refusal. A store that fails is 503: it is nobody's fault here and worth trying again.
 * Anything else is a bug: logged with the request's id, told as `internal` and nothing more.
 */
export function asRefusal(http: HttpContext, req: Request, error: unknown): MembershipError {
  if (error instanceof MembershipError) return error
  const code = isStoreFailure(error) ? 'store_unavailable' : 'internal'
  http.core.log.error(
    { err: error, requestId: requestIdOf(req) },
    code === 'internal' ? 'a request failed' : 'the store does not answer',
  )
  return new MembershipError(code, { cause: error, ...(code === 'store_unavailable' && { retryAfter: 1 }) })
}

const STORE_FAILURES = new Set(['store_busy', 'store_unavailable'])

export function isStoreFailure(error: unknown): boolean {
  if (isFileFailure(error)) return true
  return error instanceof Error && 'code' in error && typeof error.code === 'string' && STORE_FAILURES.has(error.code)
}

/** The refusal as Express's error handlers expect it: `status`, `expose`, `headers`, `code`. */
export function asHostError(http: HttpContext, req: Request, thrown: unknown): HostError {
  const refusal = asRefusal(http, req, thrown)
  const status = statusOf(refusal.code)
  const { detail } = refusalTexts(http, translatorFor(http, req), refusal)
  const { code, reason } = refusal
  return Object.assign(new Error(detail, { cause: thrown }), {
    status,
    expose: status < 500,
    code,
    ...(reason !== undefined && { reason }),
    // Express's own error handler sends them.
    ...(refusal.retryAfter !== undefined && { headers: { 'Retry-After': String(refusal.retryAfter) } }),
  })
}

type HostError = Error & { readonly status: number; readonly expose: boolean; readonly code: ErrorCode; readonly reason?: string }
