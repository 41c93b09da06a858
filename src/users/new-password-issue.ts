// Checks a new password, by the same rules wherever it is set.
import type { FieldIssue } from '../domain/errors.ts'
import { passwordIssue } from '../domain/password-policy.ts'
import { isCommonPassword } from '../passwords/common.ts'
import type { Settings } from '../settings/options.ts'

export function newPasswordIssue(
  { passwords, siteName }: Pick<Settings, 'passwords' | 'siteName'>,
  password: string,
  username: string,
): FieldIssue | undefined {
  const rules = { minLength: passwords.minLength, context: [username, siteName], isCommon: isCommonPassword }
  return passwordIssue(password, rules)
}
