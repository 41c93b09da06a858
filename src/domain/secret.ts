// Randomness, digests and constant-time comparison, all in one file for review.
import { createHmac, hash, hkdfSync, type KeyObject, randomBytes, randomInt, randomUUID, timingSafeEqual } from 'node:crypto'

/** A new secret: 256 random bits, base64url, 43 characters. OWASP requires at least 128. */
export function newToken(): string {
  return randomBytes(32).toString('base64url')
}

/** 128 random bits, base64url: unique, and not to be guessed. */
export function newNonce(): string {
  return randomBytes(16).toString('base64url')
}

/** Milliseconds between the two, which nobody can foresee. */
export function randomDelay(minMs: number, maxMs: number): number {
  return randomInt(minMs, maxMs + 1)
}

/** The least length of a secret in the settings: that of the keys derived from it. */
export const SECRET_BYTES = 32

/** A new public id: opaque and unique, but no secret. */
export function newId(): string {
  return randomUUID()
}

const VERSION_7 = 0x7000
const VARIANT = 0x80
let lastMs = 0
let sequence = 0

/**
 * A new id that sorts by time: UUIDv7 (RFC 9562 5.7) with a counter in rand_a (6.2 method 1). It reveals when it was made: for rows alone.
 */
export function newTimeId(now: number): string {
  sequence = now > lastMs ? 0 : sequence + 1
  lastMs = Math.max(lastMs, now)
  if (sequence > 0xfff) {
    lastMs++
    sequence = 0
  }
  const bytes = randomBytes(16)
  bytes.writeUIntBE(lastMs, 0, 6)
  bytes.writeUInt16BE(VERSION_7 | sequence, 6)
  bytes.writeUInt8(VARIANT | (bytes.readUInt8(8) & 0x3f), 8)
  return bytes.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-')
}

/** SHA-256, base64url, 43 characters: stores keep it in place of a token. */
export function digest(token: string | Uint8Array): string {
  return hash('sha256', token, 'base64url')
}

export type HmacKey = string | NodeJS.ArrayBufferView | KeyObject

/** HMAC-SHA-256, base64url. */
export function keyedDigest(key: HmacKey, text: string): string {
  return createHmac('sha256', key).update(text).digest('base64url')
}

/** A key of 32 bytes for one purpose, by HKDF-SHA-256 (RFC 5869). */
export function deriveKey(secret: string, purpose: string): Uint8Array {
  return new Uint8Array(hkdfSync('sha256', secret, '', `guildhall ${purpose}`, 32))
}

/** Compares two secrets in constant time; only whether their lengths agree can be measured. */
export function sameSecret(a: string, b: string): boolean {
  const left = Buffer.from(a)
  const right = Buffer.from(b)
  return left.length === right.length && timingSafeEqual(left, right)
}

/** Carries a secret through the program: printed by accident, it reads `[secret]`. */
export class Secret {
  readonly #value: string

  constructor(value: string) {
    this.#value = value
  }

  reveal(): string {
    return this.#value
  }

  toString(): string {
    return '[secret]'
  }

  toJSON(): string {
    return '[secret]'
  }

  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return '[secret]'
  }
}
