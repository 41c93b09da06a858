// Which fields of a refused form are shown again: those that the schema knows, and of them none that is a secret.
import { z } from 'zod'
import type { RawInput } from './read-input.ts'

/** A secret says so in its schema, `meta({ format: 'password' })`, which is also what the description of the API shows. */
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
