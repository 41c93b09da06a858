// The responses of the OpenAPI document: each refusal once, under `components`.
import { ERROR_CODES, type ErrorCode } from '../domain/errors.ts'
import { errorTexts, fieldText } from '../i18n/messages.ts'
import { translator } from '../i18n/translate.ts'
import { statusOf } from './errors.ts'
import type { ApiResponse, Ref, Schema } from './openapi-types.ts'

/** Responses of the HTTP server itself by status: plain text, before a request reaches Express. */
export type PlainAnswers = Readonly<Record<number, { readonly name: string; readonly description: string }>>

export type Responses = Record<string, ApiResponse>

/** References to the refusals by status; adds each to `responses` under its name. */
export function refusals(codes: readonly ErrorCode[], plain: PlainAnswers, responses: Responses): Readonly<Record<string, Ref>> {
  const statuses = new Set([...codes.map(statusOf), ...Object.keys(plain).map(Number)])
  const refs: Record<string, Ref> = {}
  for (const status of [...statuses].toSorted((a, b) => a - b)) {
    const these = codes.filter((code) => statusOf(code) === status)
    const name = these.length === 0 ? (plain[status]?.name ?? '') : these.map(pascalCase).join('Or')
    responses[name] ??= withPlain(these, plain[status]?.description)
    refs[status] = { $ref: `#/components/responses/${name}` }
  }
  return refs
}

const WITH_RETRY_AFTER = new Set<ErrorCode>(['too_many_requests', 'overloaded', 'store_unavailable'])

/** A response with these codes, and an example of each. */
export function refusal(codes: readonly ErrorCode[]): ApiResponse {
  const onlyThese: Schema = { type: 'object', properties: { code: { enum: [...codes] } } }
  const schema: Schema = { allOf: [{ $ref: '#/components/schemas/Problem' }, onlyThese] }
  const examples = Object.fromEntries(codes.map((code) => [code, { $ref: `#/components/examples/${code}` }]))
  return {
    description: codes.map((code) => `\`${code}\`: ${errorTexts(english, code, 'api').title}.`).join(' '),
    ...(codes.some((code) => WITH_RETRY_AFTER.has(code)) && {
      headers: { 'Retry-After': { $ref: '#/components/headers/RetryAfter' } },
    }),
    content: { 'application/problem+json': { schema, examples } },
  }
}

function withPlain(codes: readonly ErrorCode[], plain: string | undefined): ApiResponse {
  const known = codes.length === 0 ? undefined : refusal(codes)
  if (plain === undefined) return known ?? { description: '' }
  return {
    ...known,
    description: [known?.description, plain].filter((text) => text !== undefined).join(' '),
    content: { ...known?.content, 'text/plain': { schema: { type: 'string' } } },
  }
}

export function examplesOfRefusals(): Readonly<Record<string, { readonly value: unknown }>> {
  return Object.fromEntries(ERROR_CODES.map((code) => [code, { value: problemExample(code) }]))
}

const english = translator('en')

function problemExample(code: ErrorCode): object {
  const error = { field: 'password', code: 'required' } as const
  return {
    type: `urn:guildhall:problem:${code}`,
    ...errorTexts(english, code, 'api'),
    status: statusOf(code),
    code,
    ...(code === 'refused' && { reason: 'by_invitation_only' }),
    ...(code === 'invalid_input' && { errors: [{ ...error, message: fieldText(english, error) }] }),
    requestId: '2f1c9b34-8a56-4f0e-9d7b-3c5e6a7f8091',
  }
}

function pascalCase(code: string): string {
  return code.replace(/(?:^|_)(\w)/g, (_match, letter: string) => letter.toUpperCase())
}
