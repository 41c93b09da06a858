// Which passwords may be chosen, and the one spelling in which they are counted and hashed.
import type { FieldIssue } from './errors.ts'

/** NIST SP 800-63B-4 section 3.1.1.2 asks that at least 64 be accepted; more than 256 nobody types. In UTF-8 at most 1024 bytes. */
export const MAX_PASSWORD_CODE_POINTS = 256
/** NIST's and OWASP's floor. 15 is NIST's value where the password is the only factor. */
export const DEFAULT_MIN_PASSWORD_CODE_POINTS = 8

/** UTF-16 units per code point that NFC can compose away: three astral letters make one (Gurung Khema), four others make one. */
const MAX_UNITS_BEFORE_NFC = 8
const MIN_CONTEXT_WORD_CODE_POINTS = 3

export interface PasswordRules {
  /** Code points a password must have, before and after its personal words are taken out. */
  readonly minLength: number
  /** What others know of this person: username, address part, site name. Words below three characters are passed over. */
  readonly context: readonly string[]
  isCommon(password: string): boolean
}

/** The first thing that is wrong with a new password, or `undefined`. There are no composition rules, and nothing is trimmed. */
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

/** NFC: an `é` of a Mac and of a phone is one letter. Neither trimmed nor case-folded. */
export function normalizePassword(password: string): string {
  return password.normalize('NFC')
}

/** Whoever takes a password from outside asks this before anything else is done with it. Cheap for any length. */
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
    // A word that is longer than every password stands in none.
    .filter((word) => !isPasswordTooLong(word))
    .map(normalizePassword)
    .filter((word) => countCodePoints(word) >= MIN_CONTEXT_WORD_CODE_POINTS)
  if (known.length === 0) return password
  // The longest first: of `guildhall` and `guild`, the whole name goes.
  const patterns = known.sort((a, b) => b.length - a.length).map(escapeForRegExp)
  return password.replace(new RegExp(patterns.join('|'), 'giu'), '')
}

function escapeForRegExp(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&')
}
