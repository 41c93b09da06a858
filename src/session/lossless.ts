// Refuses values that JSON would drop or change silently, and says what to store instead.
import { isDate } from '../domain/builtins.ts'

/** Builtin objects that JSON loses or changes. Keys are what `Object.prototype.toString` returns. */
const INSTEAD: ReadonlyMap<string, string> = new Map([
  ['Map', 'a Map: store Object.fromEntries(map) or [...map]'],
  ['Set', 'a Set: store [...set]'],
  ['WeakMap', 'a WeakMap'],
  ['WeakSet', 'a WeakSet'],
  ['WeakRef', 'a WeakRef'],
  ['Promise', 'a promise: await it first'],
  ['Error', 'an error: store its message'],
  ['DOMException', 'an error: store its message'],
  ['RegExp', 'a regular expression: store its source'],
  ['ArrayBuffer', "an ArrayBuffer: store Buffer.from(it).toString('base64')"],
  ['SharedArrayBuffer', 'a SharedArrayBuffer'],
  ['DataView', 'a DataView'],
  ['URLSearchParams', 'URLSearchParams: store String(parameters)'],
  ['Headers', 'Headers: store Object.fromEntries(headers)'],
  ['FormData', 'FormData: store Object.fromEntries(form)'],
  ['Blob', 'a Blob'],
  ['File', 'a File'],
])

/** For `JSON.stringify`, which calls it with the result of `toJSON`. Throws a TypeError for what would be lost. */
export function refuseLoss(this: unknown, name: string, value: unknown): unknown {
  if (typeof value === 'string' || typeof value === 'boolean') return value
  if (typeof value === 'object') {
    if (value === null) refuseInvalidDate(this, name)
    else if (Object.getPrototypeOf(value) !== Object.prototype) refuseObject(value)
    return value
  }
  if (typeof value === 'number' && !Number.isFinite(value)) throw new TypeError(`${value} is no JSON number`)
  if (typeof value === 'function') throw new TypeError('it has a function')
  if (typeof value === 'symbol') throw new TypeError('it has a symbol')
  if (typeof value === 'bigint') throw new TypeError('it has a bigint')
  return value
}

function refuseObject(value: object): void {
  if (Array.isArray(value)) return refuseNamedKeys(value)
  const instead = INSTEAD.get(Object.prototype.toString.call(value).slice('[object '.length, -1))
  if (instead !== undefined) throw new TypeError(`it has ${instead}`)
  if (ArrayBuffer.isView(value)) throw new TypeError(`it has a ${value.constructor.name}: store Array.from(it)`)
  // A thenable: a query builder is run by awaiting it.
  if ('then' in value && typeof value.then === 'function') throw new TypeError('it has a promise: await it first')
}

/** JSON writes only the elements of an array. One with keys alone was meant to be an object; a match of a regular expression has both. */
function refuseNamedKeys(list: readonly unknown[]): void {
  if (list.length > 0) return
  const [name] = Object.keys(list)
  if (name !== undefined) throw new TypeError(`it has an array with the key ${JSON.stringify(name)}: store an object`)
}

/** The only value whose `toJSON` returns null because it has no text. */
function refuseInvalidDate(holder: unknown, name: string): void {
  const original: unknown = typeof holder === 'object' && holder !== null ? Reflect.get(holder, name) : undefined
  if (isDate(original)) throw new TypeError('it has an invalid date')
}
