// Which passwords may be chosen, and the Unicode form in which they are counted and hashed.
import type { FieldIssue } from './errors.ts'

/** NIST SP 800-63B-4 section 3.1.1.2 requires at least 64; nobody types more than 256. In UTF-8 at most 1024 bytes. */
export const MAX_PASSWORD_CODE_POINTS = 256
/** The minimum of NIST and OWASP. NIST asks for 15 if the password is the only factor. */
export const DEFAULT_MIN_PASSWORD_CODE_POINTS = 8

/** NFC composes at most this many UTF-16 units into one code point: three astral letters (Gurung Khema), or four others. */
const MAX_UNITS_BEFORE_NFC = 8
const MIN_CONTEXT_WORD_CODE_POINTS = 3

export interface PasswordRules {
  /** The minimum length in code points, counted with and without personal words. */
  readonly minLength: number
  /** Words that others know of this person: username, site name. Words of less than three characters are ignored. */
  readonly context: readonly string[]
  isCommon(password: string): boolean
}

/** The first issue of a new password; undefined if it is allowed. There are no composition rules, and nothing is trimmed. */
export function passwordIssue(password: string, rules: PasswordRules): FieldIssue | undefined {
  if (isPasswordTooLong(password)) return { code: 'too_long', values: { max: MAX_PASSWORD_CODE_POINTS } }
  // Half a surrogate pair has no UTF-8 form: all of them would be hashed as U+FFFD and match each other.
  if (!password.isWellFormed()) return { code: 'bad_characters' }
  const normal = normalizePassword(password)
  if (countCodePoints(normal) < rules.minLength) return { code: 'too_short', values: { min: rules.minLength } }
  if (rules.isCommon(normal)) return { code: 'too_common' }
  const own = withoutWords(normal, rules.context)
  if (countCodePoints(own) < rules.minLength) return { code: 'too_personal', values: { min: rules.minLength } }
  return undefined
}

/** NFC, as a Mac and a phone type `é` differently. Neither trimmed nor case-folded. */
export function normalizePassword(password: string): string {
  return password.normalize('NFC')
}

/** Must be checked before anything else is done with a password from outside. Cheap for any length. */
export function isPasswordTooLong(password: string): boolean {
  // Not even normalised: a megabyte of combining marks costs seconds in NFC (Django CVE-2023-46695).
  if (password.length > MAX_PASSWORD_CODE_POINTS * MAX_UNITS_BEFORE_NFC) return true
  return countCodePoints(normalizePassword(password)) > MAX_PASSWORD_CODE_POINTS
}

function countCodePoints(text: string): number {
  return Array.from(text).length
}

function withoutWords(password: string, words: readonly string[]): string {
  const known = words
    // A word that is longer than any password is part of none.
    .filter((word) => !isPasswordTooLong(word))
    .map(normalizePassword)
    .filter((word) => countCodePoints(word) >= MIN_CONTEXT_WORD_CODE_POINTS)
  if (known.length === 0) return password
  // The longest first: of `guildhall` and `guild`, the whole name is removed.
  const patterns = known.sort((a, b) => b.length - a.length).map(escapeForRegExp)
  return password.replace(new RegExp(patterns.join('|'), 'giu'), '')
}

function escapeForRegExp(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&')
}
