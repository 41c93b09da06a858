// Checks a new password, by the same rules wherever it is set.
import type { FieldIssue } from '../domain/errors.ts'
import { localPartOf } from '../domain/mail-address.ts'
import { passwordIssue } from '../domain/password-policy.ts'
import { isCommonPassword } from '../passwords/common.ts'
import type { Settings } from '../settings/options.ts'

export function newPasswordIssue(
  { passwords, siteName }: Pick<Settings, 'passwords' | 'siteName'>,
  password: string,
  { username, email }: { readonly username: string; readonly email?: string | undefined },
): FieldIssue | undefined {
  const context = [username, siteName, ...(email === undefined ? [] : [localPartOf(email)])]
  const rules = { minLength: passwords.minLength, context, isCommon: isCommonPassword }
  return passwordIssue(password, rules)
}
