// What names users and roles may bear: every rule about names.
import type { FieldIssue } from './errors.ts'

export const MIN_USERNAME = 3
export const MAX_USERNAME = 32
export const MAX_DISPLAY_NAME = 64

/** UTF-16 units in which a name may be spelled at all; what is longer is nobody's name. */
const MAX_TYPED_UNITS = 1024

const USERNAME = /^[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])$/

// Names that a visitor would take for the site itself, and addresses of RFC 2142 that mail systems trust.
const RESERVED = new Set(
  (
    'abuse account admin administrator anonymous api billing contact everyone guest guildhall help hostmaster info login logout ' +
    'mail me moderator nobody noreply no-reply null official owner postmaster profile register root security staff support ' +
    'sysadmin system team undefined user webmaster www'
  ).split(' '),
)

/** How a name is compared, everywhere. Also folds what people type at login, or each spelling would have a throttle of its own. Idempotent. */
export function canonicalUsername(username: string): string {
  // No name is so long, and 64 KB of combining marks take a second to normalise (CVE-2023-46695).
  if (username.length > MAX_TYPED_UNITS) return username
  return username
    .normalize('NFKC')
    .replace(/[\s\p{Cf}]/gu, '')
    .toLowerCase()
}

/** What keeps a name from being registered, or undefined. */
export function usernameIssue(username: string): FieldIssue | undefined {
  if (username.length < MIN_USERNAME) return { code: 'too_short', values: { min: MIN_USERNAME } }
  if (username.length > MAX_USERNAME) return { code: 'too_long', values: { max: MAX_USERNAME } }
  if (!USERNAME.test(username)) return { code: 'bad_characters' }
  if (RESERVED.has(canonicalUsername(username))) return { code: 'reserved' }
  return undefined
}

// Control characters, line and paragraph separators, and what turns the reading direction round: Trojan Source, CVE-2021-42574.
const UNSAFE_IN_NAMES = /[\p{Cc}\p{Zl}\p{Zp}\p{Cs}\u061C\u200E\u200F\u202A-\u202E\u2066-\u2069]/u

/** A display name as it is kept: NFC, without space around it. */
export function tidyDisplayName(name: string): string {
  if (name.length > MAX_TYPED_UNITS) return name
  return name.normalize('NFC').trim()
}

/** What keeps a tidied display name from being used, or undefined. Any script is welcome. */
export function displayNameIssue(name: string): FieldIssue | undefined {
  if ([...name].length > MAX_DISPLAY_NAME) return { code: 'too_long', values: { max: MAX_DISPLAY_NAME } }
  if (UNSAFE_IN_NAMES.test(name)) return { code: 'bad_characters' }
  return undefined
}

/** Role names are chosen by the operator: lower-case ASCII, digits, `-`, `_` and `:`. */
export function isRoleName(role: string): boolean {
  return /^[a-z][a-z0-9_:-]{0,63}$/.test(role)
}
