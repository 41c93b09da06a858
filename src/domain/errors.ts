// Every refusal that a person or a client can get. Codes are API: a closed list, never reused.

export const ERROR_CODES = [
  'malformed',
  'invalid_input',
  'invalid_credentials',
  'invalid_code',
  'invalid_token',
  'login_required',
  'recent_login_required',
  'forbidden',
  'already_logged_in',
  'cross_site_request',
  'username_taken',
  'registration_closed',
  'refused',
  'not_found',
  'method_not_allowed',
  'wrong_host',
  'body_too_large',
  'unsupported_media_type',
  'too_many_requests',
  'overloaded',
  'store_unavailable',
  'internal',
] as const

export type ErrorCode = (typeof ERROR_CODES)[number]

/** What can be wrong with one field. API like the error codes. */
export const FIELD_ERROR_CODES = [
  'required',
  'wrong_type',
  'duplicate',
  'too_short',
  'too_long',
  'bad_characters',
  'reserved',
  'too_common',
  'too_personal',
  'unchanged',
  'unknown_choice',
  'not_an_address',
  'taken',
] as const

export type FieldErrorCode = (typeof FIELD_ERROR_CODES)[number]

/** What is wrong with a value, apart from its field. */
export interface FieldIssue {
  readonly code: FieldErrorCode
  /** Numbers for the message: `{ min: 8 }`. */
  readonly values?: Readonly<Record<string, number>>
}

export interface FieldError extends FieldIssue {
  readonly field: string
}

/** A refusal. `http/errors.ts` alone maps its code to a status and a page. */
export class MembershipError extends Error {
  override readonly name = 'MembershipError'
  readonly code: ErrorCode
  readonly errors: readonly FieldError[]
  /** Seconds after which it is worth trying again. */
  readonly retryAfter: number | undefined
  /** Of `refused`: the host application's own code, and its text for the person. */
  readonly reason: string | undefined
  readonly text: string | undefined
  /** Of `unsupported_media_type`: the path that accepts the format that was sent. */
  readonly otherPath: string | undefined

  constructor(
    code: ErrorCode,
    options: Partial<Pick<MembershipError, 'errors' | 'retryAfter' | 'reason' | 'text' | 'otherPath'>> & ErrorOptions = {},
  ) {
    super(code, options)
    this.code = code
    this.errors = options.errors ?? []
    this.retryAfter = options.retryAfter
    this.reason = options.reason
    this.text = options.text
    this.otherPath = options.otherPath
  }
}
