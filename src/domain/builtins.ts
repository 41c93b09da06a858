// Recognises built-in objects of any realm: Jest tests and `node:vm` have their own Error and Date.
import { types } from 'node:util'

export function isError(value: unknown): value is Error {
  return types.isNativeError(value) || value instanceof Error
}

export function isDate(value: unknown): value is Date {
  return types.isDate(value)
}

/** Whether it is a real promise. Calling `then` on another thenable, such as a query builder, may run its query again. */
export function isNativePromise(value: unknown): value is Promise<unknown> {
  return types.isPromise(value)
}
