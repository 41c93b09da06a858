// What a user is, and what names they may bear. Every rule about names stands here and nowhere else.
import type { FieldErrorCode } from './errors.ts'

/** A person's account as the application sees it in `req.user`. Never a hash, a token or an internal flag. */
export interface User {
  /** Opaque and stable; the username may change, this never does. */
  readonly id: string
  readonly username: string
  /** What to call the person; the username where they gave no other name. */
  readonly displayName: string
  readonly email: string | undefined
  readonly emailVerified: boolean
  readonly roles: readonly string[]
  readonly createdAt: Date
}

/** Only an active user can log in; whoever was logged in when that ended is out. */
export type UserStatus = (typeof USER_STATUSES)[number]

/** `suspended` by an operator, `waiting` for a proof of the address, `leaving` until the deletion is done. */
export const USER_STATUSES = ['active', 'suspended', 'waiting', 'leaving'] as const

/** What an operator may make of a user. */
export type SettableStatus = 'active' | 'suspended'

export const SETTABLE_STATUSES: readonly SettableStatus[] = ['active', 'suspended']

export interface NameFault {
  readonly code: FieldErrorCode
  readonly values?: Readonly<Record<string, number>>
}

export const USERNAME_MIN = 3
export const USERNAME_MAX = 32
export const DISPLAY_NAME_MAX = 64

/** UTF-16 units in which a name may be spelled at all; what is longer is nobody's name. */
const LONGEST_NAME_TYPED = 1024

const USERNAME = /^[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])$/

// Names that a visitor would take for the site itself, and addresses of RFC 2142 that mail systems trust.
const RESERVED = new Set(
  (
    'abuse account admin administrator anonymous api billing contact everyone guest guildhall help hostmaster info login logout ' +
    'mail me moderator nobody noreply no-reply null official owner postmaster profile register root security staff support ' +
    'sysadmin system team undefined user webmaster www'
  ).split(' '),
)

/**
 * How a name is compared, everywhere: before the throttle, the look-up and the rule of uniqueness. A registered name is ASCII, so this
 * folds its case; of what people type at login it also forgives spaces, full-width letters and invisible characters, or each
 * spelling would have a throttle of its own. Idempotent.
 */
export function canonicalUsername(username: string): string {
  // No name is so long, and 64 KB of combining marks take a second to normalise (CVE-2023-46695).
  if (username.length > LONGEST_NAME_TYPED) return username
  return username
    .normalize('NFKC')
    .replace(/[\s\p{Cf}]/gu, '')
    .toLowerCase()
}

/** What keeps a name from being registered, or undefined. */
export function usernameIssue(username: string): NameFault | undefined {
  if (username.length < USERNAME_MIN) return { code: 'too_short', values: { min: USERNAME_MIN } }
  if (username.length > USERNAME_MAX) return { code: 'too_long', values: { max: USERNAME_MAX } }
  if (!USERNAME.test(username)) return { code: 'bad_characters' }
  if (RESERVED.has(canonicalUsername(username))) return { code: 'reserved' }
  return undefined
}

// Control characters, line and paragraph separators, and what turns the reading direction round: Trojan Source, CVE-2021-42574.
const UNSAFE_IN_NAMES = /[\p{Cc}\p{Zl}\p{Zp}\p{Cs}\u061C\u200E\u200F\u202A-\u202E\u2066-\u2069]/u

/** A display name as it is kept: NFC, without space around it. */
export function tidyDisplayName(name: string): string {
  if (name.length > LONGEST_NAME_TYPED) return name
  return name.normalize('NFC').trim()
}

/** What keeps a tidied display name from being used, or undefined. Any script is welcome. */
export function displayNameIssue(name: string): NameFault | undefined {
  if ([...name].length > DISPLAY_NAME_MAX) return { code: 'too_long', values: { max: DISPLAY_NAME_MAX } }
  if (UNSAFE_IN_NAMES.test(name)) return { code: 'bad_characters' }
  return undefined
}

/** Role names are chosen by the operator: lower-case ASCII, digits, `-`, `_` and `:`. */
export function isRoleName(role: string): boolean {
  return /^[a-z][a-z0-9_:-]{0,63}$/.test(role)
}
