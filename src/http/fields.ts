// Input fields that several actions share: type and length. What a name may be, the domain judges.
import { z } from 'zod'
import { MAX_DISPLAY_NAME, MAX_USERNAME, MIN_USERNAME, USERNAME } from '../domain/names.ts'
import { isPasswordTooLong, MAX_PASSWORD_CODE_POINTS } from '../domain/password-policy.ts'
import { LOCALES } from '../i18n/translate.ts'

/** RFC 5321 lets an address have 254 characters; nothing longer is a name to log in with. */
const MAX_IDENTIFIER = 254

const MAX_PATH = 2048

export const identifier = z
  .string()
  .min(1)
  .max(MAX_IDENTIFIER)
  .meta({ description: 'The username; letter case does not matter.', examples: ['alice'] })

/** How long a name may be, the domain judges once it is tidied: a limit that is told must be the one that holds. */
export const newUsername = z
  .string()
  .min(1)
  .meta({
    description:
      'ASCII letters, digits, `_`, `-` and `.`, beginning and ending with a letter or digit; unique without regard to case. White space around it is taken off, full-width letters become plain ones.',
    minLength: MIN_USERNAME,
    maxLength: MAX_USERNAME,
    pattern: USERNAME.source,
    examples: ['alice'],
  })

/** Refused by length before any hash work (CVE-2013-1443). */
export const passwordText = z
  .string()
  .min(1)
  .refine((text) => !isPasswordTooLong(text), { params: { max: MAX_PASSWORD_CODE_POINTS } })
  .meta({ format: 'password', maxLength: MAX_PASSWORD_CODE_POINTS, examples: ['granite lantern ferry'] })

/** `minLength`: what this site asks for. */
export function newPassword(minLength: number) {
  return passwordText.meta({
    description:
      'Any characters, counted as code points after NFC; neither a common password nor made of the username or the site name.',
    minLength,
  })
}

/** A checkbox in a form, a boolean in JSON. */
export const flag = z.union([
  z.boolean(),
  z.enum(['on', 'off', 'true', 'false', '']).transform((word) => word === 'on' || word === 'true'),
])

/** Judged by `localPath` where it is used; what leads elsewhere is dropped, not refused. */
export const returnTo = z
  .string()
  .max(MAX_PATH)
  .meta({ description: 'Where the page goes on afterwards; this endpoint has no use for it.' })
  .optional()

export const displayName = z
  .string()
  .meta({
    description: 'Any script, no control characters, and no name that is set aside, as `admin`; empty: the username.',
    maxLength: MAX_DISPLAY_NAME,
    examples: ['Alice'],
  })
  .optional()

export const locale = z.enum(LOCALES).meta({ description: 'The language to be spoken to in.', examples: ['zh-TW'] })

export const nothing = z.object({})
