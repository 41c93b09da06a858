// The format of stored password hashes, and whether one is still of the current settings.
import { digest, keyedDigest } from '../domain/secret.ts'

export type PasswordAlgorithm = 'argon2id' | 'bcrypt'

export interface HashSettings {
  readonly algorithm: PasswordAlgorithm
  /** RFC 9106 section 3.1, one lane. */
  readonly argon2: { readonly memoryKiB: number; readonly passes: number }
  /** Rounds as a power of two. */
  readonly bcryptCost: number
  /** Secrets outside the database. The first is for new hashes, all are accepted. */
  readonly peppers: readonly string[]
}

/**
 * The parts of a stored hash. It is written as
 * - `$argon2id$v=19$m=...,t=...,p=1$salt$tag`: argon2id of the password itself, a PHC string;
 * - `hmac-sha256=<key id>:$argon2id$...` or `hmac-sha256=<key id>:$2b$...`: the hash of base64url(HMAC-SHA-256(pepper, password));
 * - `hmac-sha256=none:$2b$...`: the same with a fixed label in place of a pepper;
 * - `$2b$...`, `$2a$...`, `$2y$...`: bcrypt of the password itself, imported from another application.
 */
export interface StoredHash {
  readonly algorithm: PasswordAlgorithm
  /** The text for the algorithm's library. */
  readonly hash: string
  /** The id of the pepper, or `none` for the fixed label. Undefined: the password itself is hashed. */
  readonly keyId: string | undefined
}

/** The largest parameters that are accepted in a stored hash: a damaged row must not stop the machine. */
export const HASH_LIMITS = { memoryKiB: 1_048_576, passes: 64, lanes: 16, bcryptCost: 20 } as const

const NO_PEPPER = 'none'
const NO_PEPPER_KEY = 'guildhall password pre-hash without pepper'
const PRE_HASHED = /^hmac-sha256=([0-9a-f]{16}|none):(.+)$/
const ARGON2ID =
  /^\$argon2id\$v=19\$m=([1-9]\d{0,6}),t=([1-9]\d{0,1}),p=([1-9]\d?)\$([A-Za-z0-9+/]{11,86})\$([A-Za-z0-9+/]{22,86})$/
const BCRYPT = /^\$2[aby]\$(\d\d)\$[./A-Za-z0-9]{53}$/
const SALT_LENGTH = 22 // 16 bytes, RFC 9106 section 3.1
const TAG_LENGTH = 43 // 32 bytes

/** Parses a stored value; undefined if it is empty, damaged or unknown: then no password matches (allauth 65.11.1). */
export function parseStoredHash(stored: string | undefined): StoredHash | undefined {
  if (stored === undefined) return undefined
  const [, keyId, rest] = PRE_HASHED.exec(stored) ?? []
  const hash = rest ?? stored
  if (isArgon2id(hash)) return { algorithm: 'argon2id', hash, keyId }
  if (isBcrypt(hash)) return { algorithm: 'bcrypt', hash, keyId }
  return undefined
}

/** Whether the value was made with a pepper that is not among these: its user cannot log in by password. */
export function hasNoPepper(stored: StoredHash, peppers: readonly string[]): boolean {
  return stored.keyId !== undefined && findKey(stored.keyId, peppers) === undefined
}

/** Whether a new hash would differ in algorithm, parameters or pepper. True if the value cannot be parsed. */
export function needsRehash(stored: string, settings: HashSettings): boolean {
  const parsed = parseStoredHash(stored)
  if (parsed === undefined || !stored.startsWith(writeStoredHash(algorithmStart(settings), settings))) return true
  if (parsed.algorithm === 'bcrypt') return false
  const [, , , , salt = '', tag = ''] = ARGON2ID.exec(parsed.hash) ?? []
  return salt.length < SALT_LENGTH || tag.length < TAG_LENGTH
}

/** A hash that no password has, and that takes as long to verify as a new one. */
export function dummyHash(settings: HashSettings): StoredHash {
  const { algorithm } = settings
  const end = algorithm === 'bcrypt' ? '.'.repeat(53) : `${'A'.repeat(SALT_LENGTH)}$${'A'.repeat(TAG_LENGTH)}`
  return { algorithm, hash: `${algorithmStart(settings)}${end}`, keyId: currentKeyId(settings) }
}

/** The value to store for a new hash of the algorithm's library. */
export function writeStoredHash(hash: string, settings: HashSettings): string {
  const keyId = currentKeyId(settings)
  return keyId === undefined ? hash : `hmac-sha256=${keyId}:${hash}`
}

/** The key id of new hashes; undefined if they are not pre-hashed. */
export function currentKeyId(settings: HashSettings): string | undefined {
  const [pepper] = settings.peppers
  if (pepper !== undefined) return pepperId(pepper)
  // bcrypt reads 72 bytes and stops at NUL, so it gets 43 characters of base64url.
  return settings.algorithm === 'bcrypt' ? NO_PEPPER : undefined
}

/** The text that the algorithm hashes in place of the password; undefined if the pepper is missing: then nothing may match. */
export function preHash(password: string, keyId: string | undefined, peppers: readonly string[]): string | undefined {
  if (keyId === undefined) return password
  const key = findKey(keyId, peppers)
  return key === undefined ? undefined : keyedDigest(key, password)
}

function findKey(keyId: string, peppers: readonly string[]): string | undefined {
  return keyId === NO_PEPPER ? NO_PEPPER_KEY : peppers.find((pepper) => pepperId(pepper) === keyId)
}

function pepperId(pepper: string): string {
  return Buffer.from(digest(`guildhall pepper id:${pepper}`), 'base64url')
    .toString('hex')
    .slice(0, 16)
}

function algorithmStart({ algorithm, argon2, bcryptCost }: HashSettings): string {
  if (algorithm === 'bcrypt') return `$2b$${String(bcryptCost).padStart(2, '0')}$`
  return `$argon2id$v=19$m=${argon2.memoryKiB},t=${argon2.passes},p=1$`
}

function isArgon2id(hash: string): boolean {
  const [, memory, passes, lanes, salt = '', tag = ''] = ARGON2ID.exec(hash) ?? []
  if (!isWithin(memory, 8 * Number(lanes), HASH_LIMITS.memoryKiB)) return false
  if (!isWithin(passes, 1, HASH_LIMITS.passes) || !isWithin(lanes, 1, HASH_LIMITS.lanes)) return false
  return isCanonicalBase64(salt) && isCanonicalBase64(tag)
}

function isBcrypt(hash: string): boolean {
  return isWithin(BCRYPT.exec(hash)?.[1], 4, HASH_LIMITS.bcryptCost)
}

function isWithin(digits: string | undefined, least: number, most: number): boolean {
  return digits !== undefined && Number(digits) >= least && Number(digits) <= most
}

function isCanonicalBase64(text: string): boolean {
  return Buffer.from(text, 'base64').toString('base64').replace(/=+$/, '') === text
}
