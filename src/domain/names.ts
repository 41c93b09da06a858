// Every rule about usernames, display names and role names.
import type { FieldIssue } from './errors.ts'
import { isReserved } from './reserved-names.ts'

export const MIN_USERNAME = 3
export const MAX_USERNAME = 32
export const MAX_DISPLAY_NAME = 64

/** The most UTF-16 units that are normalised at all: a longer text is nobody's name. */
const MAX_TYPED_UNITS = 1024

/** ASCII alone, so that nobody can look like somebody else. */
export const USERNAME = /^[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])$/

/**
 * The form in which usernames are compared. Also applied to what is typed at login, or each spelling would have a throttle of its own.
 * Idempotent.
 */
export function canonicalUsername(username: string): string {
  // 64 KB of combining marks take a second to normalise (CVE-2023-46695).
  if (username.length > MAX_TYPED_UNITS) return username
  return username
    .normalize('NFKC')
    .replace(/[\s\p{Cf}]/gu, '')
    .toLowerCase()
}

/** A username as it is stored: full-width letters and surrounding spaces are tidied as at login. */
export function tidyUsername(username: string): string {
  if (username.length > MAX_TYPED_UNITS) return username
  return username
    .normalize('NFKC')
    .replace(/\p{Cf}/gu, '')
    .trim()
}

/** Why a tidied name cannot be registered; undefined if it can. */
export function usernameIssue(username: string, siteName: string): FieldIssue | undefined {
  if (username.length < MIN_USERNAME) return { code: 'too_short', values: { min: MIN_USERNAME } }
  if (username.length > MAX_USERNAME) return { code: 'too_long', values: { max: MAX_USERNAME } }
  if (!USERNAME.test(username)) return { code: 'bad_characters' }
  if (isReserved(username, siteName)) return { code: 'reserved' }
  return undefined
}

// Control characters, line and paragraph separators, direction overrides (Trojan Source, CVE-2021-42574), and U+FFFD, which replaces
// invalid UTF-8.
const UNSAFE_IN_NAMES = /[\p{Cc}\p{Zl}\p{Zp}\p{Cs}\u061C\u200E\u200F\u202A-\u202E\u2066-\u2069\uFFFD]/u

/** A visible character: no space, filler, blank braille pattern, or mark without a letter. */
const VISIBLE = /[^\p{White_Space}\p{Default_Ignorable_Code_Point}\p{M}\p{Cc}\u2800]/u

/** A display name as it is stored: NFC, trimmed. Empty, which means none, if nothing of it is visible. */
export function tidyDisplayName(name: string): string {
  if (name.length > MAX_TYPED_UNITS) return name
  return VISIBLE.test(name) ? name.normalize('NFC').trim() : ''
}

/** Why a tidied display name cannot be used; undefined if it can. Any script is allowed. */
export function displayNameIssue(name: string, siteName: string): FieldIssue | undefined {
  if (name === '') return undefined
  if (name.length > MAX_TYPED_UNITS || [...name].length > MAX_DISPLAY_NAME)
    return { code: 'too_long', values: { max: MAX_DISPLAY_NAME } }
  if (UNSAFE_IN_NAMES.test(name)) return { code: 'bad_characters' }
  if (isReserved(name, siteName)) return { code: 'reserved' }
  return undefined
}

/** Role names are chosen by the operator: lower-case ASCII, digits, `-`, `_` and `:`. */
export function isRoleName(role: string): boolean {
  return /^[a-z][a-z0-9_:-]{0,63}$/.test(role)
}
