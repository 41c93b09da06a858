// Checks raw input by a schema, and keeps the values for a re-rendered form, without secrets.
import { z } from 'zod'
import { type FieldError, MembershipError } from '../domain/errors.ts'
import type { RawInput } from './read-input.ts'

/** The typed input; throws `invalid_input` with an error for each invalid field. Unknown fields are ignored. */
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
  // If a form has a field twice, we do not guess which one was meant.
  if (formFields && Array.isArray(value)) return { field, code: 'duplicate' }
  if (issue.code === 'too_big') return { field, code: 'too_long', values: { max: Number(issue.maximum) } }
  if (issue.code === 'custom') return { field, code: 'too_long', ...(issue.params && { values: issue.params }) }
  if (issue.code === 'too_small' && issue.minimum === 1) return { field, code: 'required' }
  if (issue.code === 'too_small') return { field, code: 'too_short', values: { min: Number(issue.minimum) } }
  return { field, code: issue.code === 'invalid_value' ? 'unknown_choice' : 'wrong_type' }
}

/** The fields whose values are kept: those without `meta({ format: 'password' })` in the schema, which OpenAPI shows too. */
export function keptFields(input: z.ZodType): readonly string[] {
  const { properties = {} } = z.toJSONSchema(input, { io: 'input' })
  return Object.entries(properties).flatMap(([name, field]) => (isSecret(field) ? [] : [name]))
}

export function isSecret(field: z.core.JSONSchema._JSONSchema): boolean {
  return typeof field === 'object' && field.format === 'password'
}

export function keptValues(fields: readonly string[], raw: RawInput): Readonly<Record<string, string>> {
  const values: Record<string, string> = {}
  for (const name of fields) {
    const value = raw[name]
    if (typeof value === 'string') values[name] = value
  }
  return values
}
