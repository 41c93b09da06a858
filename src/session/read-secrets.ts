// Reads the option `secret`: one that signs, and others that still check.
import { KeyObject } from 'node:crypto'
import type { HmacKey } from '../domain/secret.ts'
import { ifGiven, type OptionReader } from './option-reader.ts'

/** The secrets; undefined if the option is not given. A variable that is not set must not turn signatures off. */
export function readSecrets(options: { readonly secret?: unknown }, must: OptionReader['must']): readonly HmacKey[] | undefined {
  if (!('secret' in options)) return undefined
  const { secret } = options
  if (Array.isArray(secret)) {
    const rule = 'secret option array must contain one or more strings, bytes or KeyObjects, and nothing empty'
    must(secret.length > 0 && secret.every(isSecret), rule, `${secret.length} values`)
    return secret
  }
  const isMissing = ifGiven(secret) === undefined
  must(
    !isMissing,
    'secret must be set where it is named (is its variable missing?); leave it out for ids that are not signed',
    secret,
  )
  must(isMissing || isSecret(secret), 'secret must be a text, bytes, a KeyObject, or a list of these', typeof secret)
  return isSecret(secret) ? [secret] : undefined
}

function isSecret(secret: unknown): secret is HmacKey {
  if (typeof secret === 'string') return secret !== ''
  if (ArrayBuffer.isView(secret)) return secret.byteLength > 0
  return secret instanceof KeyObject && secret.type === 'secret'
}
