// Recognises common passwords, which attackers try first, by a list in the package.
import { readFileSync } from 'node:fs'
import { normalizePassword } from '../domain/password-policy.ts'

let list: ReadonlySet<string> | undefined

/** Whether the password, in any case, is on the list (about 18 000 entries; ASVS 6.2.4 requires 3 000). */
export function isCommonPassword(password: string): boolean {
  list ??= readList()
  return list.has(normalizePassword(password).toLowerCase())
}

/** Read at first use, as not every process takes new passwords. `scripts/build-common-passwords.ts` makes the file. */
function readList(): ReadonlySet<string> {
  const text = readFileSync(new URL('./common-passwords.txt', import.meta.url), 'utf8')
  return new Set(text.split('\n').filter((line) => line !== ''))
}
