// Keys for one purpose each, derived from the secrets of the settings. The first secret makes, the others still check.
import { deriveKey } from '../domain/secret.ts'

export interface Key {
  /** Names the secret that the key comes from; kept beside what was made with it. */
  readonly id: string
  readonly bytes: Uint8Array
}

/** One for each secret, in their order. */
export function keysFor(purpose: string, secrets: readonly string[]): readonly Key[] {
  return secrets.map((secret) => ({ id: idOf(secret), bytes: deriveKey(secret, purpose) }))
}

/** Says nothing of the secret: it is derived like a key, for this purpose alone. */
function idOf(secret: string): string {
  return Buffer.from(deriveKey(secret, 'key id')).toString('base64url').slice(0, 8)
}
