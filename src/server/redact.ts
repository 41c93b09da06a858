// Redacts what is logged: values under names that sound secret, and bodies on errors of parsers.

const SECRET_NAME = /cookie|passw|token|secret|authorization|pepper|^body$|^rawBody$|^hash$/i
const MAX_DEPTH = 6
const MAX_ITEMS = 50

export function redact(fields: object): Record<string, unknown> {
  return redactObject(fields, 0)
}

function redactValue(value: unknown, depth: number): unknown {
  if (typeof value === 'bigint') return String(value)
  if (typeof value !== 'object' || value === null) return value
  if (depth > MAX_DEPTH) return '[deep]'
  if (value instanceof Error) return redactError(value, depth)
  if (Array.isArray(value)) return value.slice(0, MAX_ITEMS).map((item: unknown) => redactValue(item, depth + 1))
  if ('toJSON' in value && typeof value.toJSON === 'function') return value.toJSON()
  return redactObject(value, depth + 1)
}

function redactObject(from: object, depth: number): Record<string, unknown> {
  const redacted: Record<string, unknown> = {}
  for (const [name, value] of Object.entries(from))
    redacted[name] = SECRET_NAME.test(name) ? '[redacted]' : redactValue(value, depth)
  return redacted
}

/** An allowlist: parsers attach the whole body to their errors. */
function redactError(error: Error, depth: number): Record<string, unknown> {
  const code = 'code' in error && (typeof error.code === 'string' || typeof error.code === 'number') ? { code: error.code } : {}
  const cause = error.cause === undefined ? {} : { cause: redactValue(error.cause, depth + 1) }
  return { type: error.name, message: error.message, ...code, stack: error.stack, ...cause }
}
