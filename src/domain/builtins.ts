// Tells built-in objects by what they are, whoever made them.
// Code in a Jest test or a `node:vm` context has an Error and a Date of its own.
import { types } from 'node:util'

export function isError(value: unknown): value is Error {
  return types.isNativeError(value) || value instanceof Error
}

export function isDate(value: unknown): value is Date {
  return types.isDate(value)
}

/** A promise of the language. Asking any other thenable for its outcome may begin its work once more, as a query builder's. */
export function isNativePromise(value: unknown): value is Promise<unknown> {
  return types.isPromise(value)
}
