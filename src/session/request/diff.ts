// What an application changed in its session since it was read; and stored values put into one.
import { defineOwn, emptyObject, type SerialisedValues, serialise } from '../data.ts'
import type { SessionPatch } from '../store.ts'

export function fill(session: object, values: SerialisedValues, reserved: ReadonlySet<string>): void {
  for (const [key, text] of values) {
    if (reserved.has(key)) continue // A stored key must not cover a getter such as `isLoggedIn`.
    const value: unknown = JSON.parse(text)
    if (key in session) defineOwn(session, key, value)
    else Reflect.set(session, key, value)
  }
}

/** Undefined if nothing changed. Throws a TypeError for what cannot be stored. Each key is serialised once. */
export function diff(session: object, values: SerialisedValues, reserved: ReadonlySet<string>): SessionPatch | undefined {
  let patch: Record<string, string | null> | undefined
  let kept = 0
  for (const key of Object.keys(session)) {
    if (reserved.has(key)) throw new TypeError(reservedMessage(key))
    const text = serialise(key, Reflect.get(session, key))
    const before = values.get(key)
    if (text !== undefined && before !== undefined) kept++
    if (before === text) continue
    // Databases cut keys at NUL or refuse them: two keys would be one.
    if (key.includes('\0') || !key.isWellFormed()) throw new TypeError(`req.session: ${JSON.stringify(key)} cannot be a key`)
    patch ??= emptyObject()
    patch[key] = text ?? null
  }
  if (kept === values.size) return patch
  for (const key of values.keys()) {
    if (reserved.has(key) || Object.hasOwn(session, key)) continue
    patch ??= emptyObject()
    patch[key] = null
  }
  return patch
}

export function reservedMessage(name: string): string {
  return `req.session.${name} belongs to the session itself: store the value under another name`
}
