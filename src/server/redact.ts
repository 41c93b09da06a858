// A second net under the log: whatever is told, values under names that sound secret are taken out, and errors bring no request bodies along.

const SECRET_NAME = /cookie|passw|token|secret|authorization|pepper|^body$|^rawBody$|^hash$/i
const DEEPEST = 6
const MOST_ITEMS = 50

export function redact(fields: object): Record<string, unknown> {
  return objectOf(fields, 0)
}

function tellable(value: unknown, depth: number): unknown {
  if (typeof value === 'bigint') return String(value)
  if (typeof value !== 'object' || value === null) return value
  if (depth > DEEPEST) return '[deep]'
  if (value instanceof Error) return errorOf(value, depth)
  if (Array.isArray(value)) return value.slice(0, MOST_ITEMS).map((item: unknown) => tellable(item, depth + 1))
  if ('toJSON' in value && typeof value.toJSON === 'function') return value.toJSON()
  return objectOf(value, depth + 1)
}

function objectOf(from: object, depth: number): Record<string, unknown> {
  const told: Record<string, unknown> = {}
  for (const [name, value] of Object.entries(from)) told[name] = SECRET_NAME.test(name) ? '[redacted]' : tellable(value, depth)
  return told
}

/** By a list: parsers hang the whole body on their errors. */
function errorOf(error: Error, depth: number): Record<string, unknown> {
  const code = 'code' in error && (typeof error.code === 'string' || typeof error.code === 'number') ? { code: error.code } : {}
  const cause = error.cause === undefined ? {} : { cause: tellable(error.cause, depth + 1) }
  return { type: error.name, message: error.message, ...code, stack: error.stack, ...cause }
}
