// Keys for one purpose each. The first secret of the settings makes, the others still check.
import { deriveKey } from '../domain/secret.ts'

export interface Key {
  /** Names the secret that the key comes from; kept beside what was made with it. */
  readonly id: string
  readonly bytes: Uint8Array
}

export type Secrets = readonly [string, ...string[]]

/** One for each secret, in their order. */
export function keysFor(purpose: string, [first, ...others]: Secrets): readonly [Key, ...Key[]] {
  const keyOf = (secret: string): Key => ({ id: idOf(secret), bytes: deriveKey(secret, purpose) })
  return [keyOf(first), ...others.map(keyOf)]
}

/** Says nothing of the secret: it is derived like a key, for this purpose alone. */
function idOf(secret: string): string {
  return Buffer.from(deriveKey(secret, 'key id')).toString('base64url').slice(0, 8)
}
