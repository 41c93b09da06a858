// What an application keeps in its session, as text: a JSON object whose values are JSON texts themselves (see store.ts).
import type { SessionPatch, SessionRow } from './store.ts'

/** Texts beside the application's: what is stored of the cookie, and the session that this one replaced. They have the names of methods, which no application can take for a key. */
export const COOKIE_KEY = 'cookie'
export const PREDECESSOR_KEY = 'regenerate'

export function isOwnKey(key: string): boolean {
  return key === COOKIE_KEY || key === PREDECESSOR_KEY
}

/** The keys of a row's data with the text of each value. A Map, as keys come from applications: `__proto__` is one like any other. */
export function readTexts(data: string): Map<string, string> {
  const parsed: unknown = JSON.parse(data)
  if (typeof parsed !== 'object' || parsed === null) throw new Error('the data of this session is damaged: no object')
  const texts = new Map<string, string>()
  for (const key of Object.keys(parsed)) {
    const text: unknown = Reflect.get(parsed, key)
    if (typeof text !== 'string') throw new Error(`the data of this session is damaged: ${JSON.stringify(key)} has no text`)
    texts.set(key, text)
  }
  return texts
}

const parsedRows = new WeakMap<SessionRow, ReadonlyMap<string, string>>()

/** The same of a row. Rows that cannot change, which stores inside the process share between requests, are parsed once. */
export function textsOfRow(row: SessionRow): ReadonlyMap<string, string> {
  const known = parsedRows.get(row)
  if (known) return known
  const texts = readTexts(row.data)
  if (Object.isFrozen(row)) parsedRows.set(row, texts)
  return texts
}

/** A row that cannot change, whose texts are known already. */
export function rowWithTexts(row: SessionRow, texts: ReadonlyMap<string, string>): SessionRow {
  parsedRows.set(Object.freeze(row), texts)
  return row
}

export function writeTexts(texts: Iterable<readonly [string, string]>): string {
  const object = emptyObject<string>()
  for (const [key, text] of texts) object[key] = text
  return JSON.stringify(object)
}

/** The data of a row after a patch. For stores that have no merge patch of their own. */
export function patchData(data: string, patch: SessionPatch): string {
  return writeTexts(patchTexts(readTexts(data), patch))
}

/** Texts after a patch. */
export function patchTexts(before: ReadonlyMap<string, string>, patch: SessionPatch): ReadonlyMap<string, string> {
  const texts = new Map(before)
  for (const [key, text] of Object.entries(patch)) {
    if (text === null) texts.delete(key)
    else texts.set(key, text)
  }
  return texts
}

/** Puts a value under a key, whatever the key: `__proto__` is one like any other. */
export function own(object: object, key: string, value: unknown): void {
  Object.defineProperty(object, key, { value, writable: true, enumerable: true, configurable: true })
}

/** An object without a prototype: no key can reach one. */
export function emptyObject<T>(): Record<string, T> {
  return Object.create(null)
}

/**
 * The JSON text of a value; undefined where there is nothing to store.
 * Throws a TypeError that names the key where JSON would lose something without a word.
 */
export function textOf(key: string, value: unknown): string | undefined {
  if (typeof value === 'string' || typeof value === 'boolean') return JSON.stringify(value)
  if (value === undefined) return undefined
  try {
    return JSON.stringify(typeof value === 'number' ? refuseLoss('', value) : value, refuseLoss)
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    throw new TypeError(`req.session[${JSON.stringify(key)}] cannot be stored as JSON: ${reason}`, { cause: error })
  }
}

function refuseLoss(_name: string, value: unknown): unknown {
  if (typeof value === 'number' && !Number.isFinite(value)) throw new TypeError(`${value} is no JSON number`)
  if (typeof value === 'function') throw new TypeError('it has a function')
  if (typeof value === 'symbol') throw new TypeError('it has a symbol')
  if (typeof value === 'bigint') throw new TypeError('it has a bigint')
  return value
}
