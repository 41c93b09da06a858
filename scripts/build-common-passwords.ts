// Writes the list of common passwords that the package ships, with its licence beside it.
import { copyFileSync, writeFileSync } from 'node:fs'
import { dictionary } from '@zxcvbn-ts/language-common'
import { DEFAULT_MIN_PASSWORD_CODE_POINTS } from '../src/domain/password-policy.ts'

const target = new URL('../src/passwords/common-passwords.txt', import.meta.url)
const licence = new URL('../LICENSE.txt', import.meta.resolve('@zxcvbn-ts/language-common/dist/index.mjs'))

const entries = dictionary['passwords-common'].map((entry) => entry.normalize('NFC').toLowerCase())
// Shorter ones are refused by their length already.
const kept = new Set(
  entries.filter((entry) => Array.from(entry).length >= DEFAULT_MIN_PASSWORD_CODE_POINTS && !/[\r\n]/.test(entry)),
)

writeFileSync(target, `${[...kept].join('\n')}\n`)
copyFileSync(licence, new URL('../src/passwords/common-passwords.license.txt', import.meta.url))
console.log(`${kept.size} of ${entries.length} entries written to ${target.pathname}`)
