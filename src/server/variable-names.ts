// The names of our variables, and which of them a name that is none was probably meant to be.

import { isOneTypoApart } from '../domain/typo.ts'
import type { Rows } from '../settings/kit.ts'
import { SETTINGS } from '../settings/table.ts'
import { SERVER_SETTINGS } from './table.ts'

const ROWS: Rows = { ...SERVER_SETTINGS, ...SETTINGS }

export const VARIABLES: readonly string[] = Object.values(ROWS).flatMap(({ env }) => env ?? [])

/** The variable of a setting. */
export function variableOf(path: string): string {
  return ROWS[path]?.env ?? path
}

/** Settings of later versions. Somebody who sets one expects an effect, so it must not be ignored silently. */
const LATER_VARIABLES = ['REGISTRATION_DOMAINS', 'EMAIL', 'SMTP_URL', 'MAIL_FROM']

const KNOWN: readonly string[] = [...VARIABLES, ...LATER_VARIABLES]
/** Other programs have a `host` or a `port` of their own. */
const COMMON: ReadonlySet<string> = new Set(['HOST', 'PORT', 'SECRET', 'EMAIL', 'LOCALE'])
const PREFIX = /^GUILDHALL_?/
/** Shorter names resemble too many others. */
const MIN_LENGTH_FOR_TYPO = 8

export function isVariable(name: string): boolean {
  return KNOWN.includes(name)
}

/**
 * The setting that was probably meant: `BASEURL`, `base_url`, `GUILDHALL_BASE_URL`, `TRUSTED_ORIGIN`. Undefined for our own names and for
 * unrelated ones.
 */
export function suggestVariable(name: string): string | undefined {
  if (isVariable(name) || isVariable(name.replace(/_FILE$/, ''))) return undefined
  const given = plain(name)
  return KNOWN.find((known) => {
    const wanted = plain(known)
    if (given === wanted) return PREFIX.test(name) || !COMMON.has(known)
    return wanted.length >= MIN_LENGTH_FOR_TYPO && isOneTypoApart(given, wanted)
  })
}

function plain(name: string): string {
  return name.toUpperCase().replace(PREFIX, '').replaceAll('_', '')
}
