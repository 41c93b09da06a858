// Input fields that several actions share. They judge type and length; what a name or a password may be is the domain's to say.
import { z } from 'zod'
import { isPasswordTooLong, MAX_PASSWORD_CODE_POINTS } from '../domain/password-policy.ts'

/** RFC 5321 lets an address have 254 characters; nothing longer is a name to log in with. */
const LONGEST_IDENTIFIER = 254

const LONGEST_PATH = 2048

export const identifier = z.string().min(1).max(LONGEST_IDENTIFIER)

/** Refused by length before any hash work (CVE-2013-1443). */
export const passwordText = z
  .string()
  .min(1)
  .refine((text) => !isPasswordTooLong(text), { params: { max: MAX_PASSWORD_CODE_POINTS } })

/** A checkbox in a form, a boolean in JSON. */
export const flag = z.union([
  z.boolean(),
  z.enum(['on', 'off', 'true', 'false', '']).transform((word) => word === 'on' || word === 'true'),
])

/** Judged by `localPath` where it is used; what leads elsewhere is dropped, not refused. */
export const returnTo = z.string().max(LONGEST_PATH).optional()

export const displayName = z.string().max(1024).optional()

export const nothing = z.object({})
