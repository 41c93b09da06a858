// What an application keeps in its session: a JSON object whose values are JSON texts.
import { isError } from '../domain/builtins.ts'
import { refuseLoss } from './lossless.ts'
import type { SessionPatch, SessionRow } from './store.ts'

/** The JSON text of each value, by key. A Map, as keys come from applications: `__proto__` is just one of them. */
export type SerialisedValues = ReadonlyMap<string, string>

export const NO_VALUES: SerialisedValues = new Map()

/**
 * Our own values: the cookie if it differs from the settings, and the superseded session. Applications cannot have keys with the names of
 * methods.
 */
export const COOKIE_KEY = 'cookie'
export const PREDECESSOR_KEY = 'regenerate'

export function isOwnKey(key: string): boolean {
  return key === COOKIE_KEY || key === PREDECESSOR_KEY
}

export function readValues(data: string): Map<string, string> {
  const parsed: unknown = JSON.parse(data)
  if (typeof parsed !== 'object' || parsed === null) throw new Error('the data of this session is damaged: no object')
  const values = new Map<string, string>()
  for (const key of Object.keys(parsed)) {
    if (key.includes('\\')) return readPairs(data, Object.keys(parsed).length)
    const text: unknown = Reflect.get(parsed, key)
    if (typeof text !== 'string') throw new Error(`the data of this session is damaged: ${JSON.stringify(key)} has no text`)
    values.set(key, text)
  }
  return values
}

/**
 * V8 may read an escaped key of an object as a key with a backslash that another object has, https://github.com/nodejs/node/issues/63785: a
 * visitor could take `"` out of a session by having `\\` put into another. Texts by themselves it reads right.
 */
function readPairs(data: string, atLeast: number): Map<string, string> {
  const pairs = data.matchAll(/("(?:[^"\\]|\\.)*")\s*:\s*("(?:[^"\\]|\\.)*")/g)
  const values = new Map<string, string>()
  for (const [, key = '', text = ''] of pairs) values.set(JSON.parse(key), JSON.parse(text))
  if (values.size < atLeast) throw new Error('the data of this session is damaged: not every key has a text')
  return values
}

const parsedRows = new WeakMap<SessionRow, SerialisedValues>()

/** Frozen rows, which stores share between requests, are parsed once. */
export function valuesOfRow(row: SessionRow): SerialisedValues {
  const known = parsedRows.get(row)
  if (known) return known
  const values = readValues(row.data)
  if (Object.isFrozen(row)) parsedRows.set(row, values)
  return values
}

/** A frozen row whose values are already parsed. */
export function rowWithValues(row: SessionRow, values: SerialisedValues): SessionRow {
  parsedRows.set(Object.freeze(row), values)
  return row
}

export function writeValues(values: Iterable<readonly [string, string]>): string {
  const object = emptyObject<string>()
  for (const [key, text] of values) object[key] = text
  return JSON.stringify(object)
}

/** For stores without a merge patch of their own. */
export function patchData(data: string, patch: SessionPatch): string {
  return writeValues(patchValues(readValues(data), patch))
}

export function patchValues(before: SerialisedValues, patch: SessionPatch): SerialisedValues {
  const values = new Map(before)
  for (const [key, text] of Object.entries(patch)) {
    if (text === null) values.delete(key)
    else values.set(key, text)
  }
  return values
}

/** `session[key] = value` would set the prototype for the key `__proto__`. */
export function defineOwn(object: object, key: string, value: unknown): void {
  Object.defineProperty(object, key, { value, writable: true, enumerable: true, configurable: true })
}

/** An object without a prototype, which no key can reach. */
export function emptyObject<T>(): Record<string, T> {
  return Object.create(null)
}

/**
 * The JSON text of a value; undefined if there is nothing to store.
 * Throws a TypeError that names the key if JSON would lose something silently.
 */
export function serialise(key: string, value: unknown): string | undefined {
  if (typeof value === 'string' || typeof value === 'boolean') return JSON.stringify(value)
  if (value === undefined) return undefined
  try {
    return JSON.stringify(value, refuseLoss)
  } catch (error) {
    const reason = isError(error) ? error.message : String(error)
    throw new TypeError(`req.session[${JSON.stringify(key)}] cannot be stored as JSON: ${reason}`, { cause: error })
  }
}
