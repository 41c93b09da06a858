// Judges a password that a user is to have: by the same rules wherever it is set.
import type { Core } from '../core/core.ts'
import type { FieldIssue } from '../domain/errors.ts'
import { passwordIssue } from '../domain/password-policy.ts'
import { isCommonPassword } from '../passwords/common.ts'

export function newPasswordIssue({ settings }: Core, password: string, username: string): FieldIssue | undefined {
  const { passwords, siteName } = settings
  const rules = { minLength: passwords.minLength, context: [username, siteName], isCommon: isCommonPassword }
  return passwordIssue(password, rules)
}
