// The signature of a cookie as express-session writes it, so that applications can move over.
import { BoundedCache } from '../../domain/bounded-cache.ts'
import { type HmacKey, keyedDigest, sameSecret } from '../../domain/secret.ts'

const MAX_VERIFIED = 10_000

/**
 * The accepted ids. A store may make a path from an id, and an application may sign other texts with the same secret, such as a language:
 * a signed id alone is not safe.
 */
export const ID = /^(?!.*\.\.)[^\s"\\;,\p{Cc}]{1,256}$/u

// encodeURIComponent('s:' + id + '.' + base64 without '=').
const SIGNED = /^s(?:%3[Aa]|:)([^\s"\\]{1,1024})\.((?:[A-Za-z\d+/]|%2[Bb]|%2[Ff]){43})$/

export function sign(id: string, secret: HmacKey): string {
  return `s:${id}.${signature(id, secret)}`
}

/** Remembers valid cookies byte by byte, so that a returning visitor costs no HMAC. It reveals nothing to others. */
export function signatureReader(secrets: readonly HmacKey[]): (value: string) => string | undefined {
  const verified = new BoundedCache<string>(MAX_VERIFIED)
  return (value) => {
    const known = verified.get(value)
    if (known !== undefined) return known
    const id = unsign(value, secrets)
    // A copy: a substring would keep the whole header in memory.
    if (id !== undefined) verified.set(copyOf(value), copyOf(id))
    return id
  }
}

function unsign(value: string, secrets: readonly HmacKey[]): string | undefined {
  const [, written, signature] = SIGNED.exec(value) ?? []
  if (written === undefined || signature === undefined) return undefined
  const id = decode(written)
  if (id === undefined || !ID.test(id)) return undefined
  const base64url = signature.replace(/%2B|\+/gi, '-').replace(/%2F|\//gi, '_')
  return secrets.some((secret) => sameSecret(keyedDigest(secret, id), base64url)) ? id : undefined
}

function copyOf(text: string): string {
  return Buffer.from(text).toString()
}

function decode(text: string): string | undefined {
  if (!text.includes('%')) return text
  try {
    return decodeURIComponent(text)
  } catch {
    return undefined
  }
}

function signature(id: string, secret: HmacKey): string {
  return keyedDigest(secret, id).replaceAll('-', '+').replaceAll('_', '/')
}
