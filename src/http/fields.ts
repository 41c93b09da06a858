// Input fields that several actions share: type and length. The rules for names are in domain.
import { z } from 'zod'
import { MAX_ADDRESS } from '../domain/mail-address.ts'
import { MAX_DISPLAY_NAME, MAX_USERNAME, MIN_USERNAME, USERNAME } from '../domain/names.ts'
import { isPasswordTooLong, MAX_PASSWORD_CODE_POINTS } from '../domain/password-policy.ts'
import { LOCALES } from '../i18n/translate.ts'

/** Usernames are shorter. */
const MAX_IDENTIFIER = MAX_ADDRESS

const MAX_PATH = 2048

export const identifier = z
  .string()
  .min(1)
  .max(MAX_IDENTIFIER)
  .meta({
    description: 'The username, or an address that the user has proven; letter case does not matter.',
    examples: ['alice'],
  })

/** Its length is checked after tidying, by the domain: a limit here would be on another text. */
export const newUsername = z
  .string()
  .min(1)
  .meta({
    description:
      'ASCII letters, digits, `_`, `-` and `.`, beginning and ending with a letter or digit; unique without regard to case. Surrounding white space is removed, full-width letters become ASCII.',
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

/** `minLength`: the setting of this site. */
export function newPassword(minLength: number) {
  return passwordText.meta({
    description:
      'Any characters, counted as code points after NFC; neither a common password nor made of the username, the address or the site name.',
    minLength,
  })
}

/** Longer than any token, shorter than what would be work. */
const MAX_TOKEN = 128

/** Secret, so that no form shows it again. */
export const mailedToken = z
  .string()
  .min(1)
  .max(MAX_TOKEN)
  .meta({
    format: 'password',
    description: 'From the mailed link: what follows `?token=`.',
    examples: ['R3S0d6nKXw2Vd7rO6b8mJp'],
  })

export const mailedCode = z
  .string()
  .min(1)
  .max(MAX_TOKEN)
  .meta({
    format: 'password',
    description: 'The code of the mail, in any case, with or without its dash.',
    examples: ['BCDF-GHJK'],
  })

/** Of a flow: our pages send it, clients have tokens. */
export const flowNumber = z
  .string()
  .max(MAX_TOKEN)
  .optional()
  .meta({ description: 'Of the page’s form; a client sends `token`.' })

/** A checkbox in a form, a boolean in JSON. */
export const flag = z.union([
  z.boolean(),
  z.enum(['on', 'off', 'true', 'false', '']).transform((word) => word === 'on' || word === 'true'),
])

/** Its users check it by `localPath`; a link to another site is ignored, not refused. */
export const returnTo = z
  .string()
  .max(MAX_PATH)
  .meta({ description: 'Where the page leads afterwards; this endpoint ignores it.' })
  .optional()

/** Read by the domain, which trims it: empty is none. */
export const emailAddress = z
  .string()
  .max(2 * MAX_ADDRESS)
  .meta({
    description: 'A mail address: ASCII before the `@`, a domain in any script. Letter case does not matter.',
    examples: ['alice@example.org'],
  })

export const displayName = z
  .string()
  .meta({
    description: 'Any script, no control characters, and no reserved name such as `admin`; empty: the username.',
    maxLength: MAX_DISPLAY_NAME,
    examples: ['Alice'],
  })
  .optional()

export const locale = z.enum(LOCALES).meta({ description: 'The language of pages and messages.', examples: ['zh-TW'] })

export const nothing = z.object({})
