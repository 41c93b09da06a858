// Refuses values that JSON would drop or change silently, and says what to store instead.
import { isDate } from '../domain/builtins.ts'

/** Builtin objects of which JSON keeps nothing, or not what they are. Keys are what `Object.prototype.toString` says. */
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

/** For `JSON.stringify`, which calls it with what `toJSON` gave. Throws a TypeError for what would be lost. */
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
  // What a query builder makes is run by awaiting it.
  if ('then' in value && typeof value.then === 'function') throw new TypeError('it has a promise: await it first')
}

/** Of an array JSON writes the elements alone. One without any was meant to be an object; what a regular expression found has both. */
function refuseNamedKeys(list: readonly unknown[]): void {
  if (list.length > 0) return
  const [name] = Object.keys(list)
  if (name !== undefined) throw new TypeError(`it has an array with the key ${JSON.stringify(name)}: store an object`)
}

/** The only value whose `toJSON` gives null for want of a better answer. */
function refuseInvalidDate(holder: unknown, name: string): void {
  const original: unknown = typeof holder === 'object' && holder !== null ? Reflect.get(holder, name) : undefined
  if (isDate(original)) throw new TypeError('it has an invalid date')
}
