// Derives a key per purpose from each secret: the first is for new values, the others still check.
import { deriveKey } from '../domain/secret.ts'

export interface Key {
  /** Identifies the secret behind the key; stored beside what was made with it. */
  readonly id: string
  readonly bytes: Uint8Array
}

export type Secrets = readonly [string, ...string[]]

/** One key for each secret, in their order. */
export function keysFor(purpose: string, [first, ...others]: Secrets): readonly [Key, ...Key[]] {
  const keyOf = (secret: string): Key => ({ id: idOf(secret), bytes: deriveKey(secret, purpose) })
  return [keyOf(first), ...others.map(keyOf)]
}

/** Reveals nothing of the secret: it is derived like a key, for this purpose alone. */
function idOf(secret: string): string {
  return Buffer.from(deriveKey(secret, 'key id')).toString('base64url').slice(0, 8)
}
