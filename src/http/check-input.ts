// Holds raw input against a schema; every fault is told at once, by field and code.
import type { z } from 'zod'
import { type FieldError, type FieldErrorCode, MembershipError } from '../domain/errors.ts'
import type { RawInput } from './read-input.ts'

/** The input in its type; throws `invalid_input` with an error for each field that does not fit. Unknown fields are ignored. */
export function checkInput<Schema extends z.ZodType>(schema: Schema, raw: RawInput, formFields: boolean): z.output<Schema> {
  const result = schema.safeParse(raw)
  if (result.success) return result.data
  const errors = new Map<string, FieldError>()
  for (const issue of result.error.issues) {
    const field = String(issue.path[0] ?? '')
    if (!errors.has(field)) errors.set(field, toFieldError(field, issue, raw, formFields))
  }
  throw new MembershipError('invalid_input', { errors: [...errors.values()] })
}

function toFieldError(field: string, issue: z.core.$ZodIssue, raw: RawInput, formFields: boolean): FieldError {
  const value = raw[field]
  if (value === undefined) return { field, code: 'required' }
  // A form that names a field twice: which of the two was meant is not ours to guess.
  if (formFields && Array.isArray(value)) return { field, code: 'duplicate' }
  if (issue.code === 'too_big') return { field, code: 'too_long', values: { max: Number(issue.maximum) } }
  if (issue.code === 'custom') return { field, code: 'too_long', ...(issue.params && { values: issue.params }) }
  if (issue.code === 'too_small') return { field, ...tooSmall(Number(issue.minimum)) }
  return { field, code: issue.code === 'invalid_value' ? 'unknown_choice' : 'wrong_type' }
}

function tooSmall(minimum: number): { code: FieldErrorCode; values?: Record<string, number> } {
  return minimum === 1 ? { code: 'required' } : { code: 'too_short', values: { min: minimum } }
}
