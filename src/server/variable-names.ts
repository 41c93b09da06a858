// The names of our variables, and which of them a name that is none was probably meant to be.

import { isOneTypoApart } from '../domain/typo.ts'
import type { Rows } from '../settings/schema.ts'
import { SETTINGS } from '../settings/table.ts'
import { SERVER_SETTINGS } from './table.ts'

const ROWS: Rows = { ...SERVER_SETTINGS, ...SETTINGS }

export const VARIABLES: readonly string[] = Object.values(ROWS).flatMap(({ env }) => env ?? [])

/** The name of a setting for the server: its variable. */
export function variableOf(path: string): string {
  return ROWS[path]?.env ?? path
}

/** Settings of later versions, which must not be ignored silently. */
const LATER_VARIABLES = ['REGISTRATION_DOMAINS']

const KNOWN: readonly string[] = [...VARIABLES, ...LATER_VARIABLES]
/** Other programs have a `host` or a `port` of their own. */
const COMMON: ReadonlySet<string> = new Set(['HOST', 'PORT', 'SECRET', 'EMAIL', 'LOCALE'])
const PREFIX = /^GUILDHALL_?/
/** Shorter names are too often near to something else. */
const MIN_LENGTH_FOR_TYPO = 8

export function isVariable(name: string): boolean {
  return KNOWN.includes(name)
}

/** The setting that was probably meant: `BASEURL`, `base_url`, `GUILDHALL_BASE_URL`, `TRUSTED_ORIGIN`. Undefined for all others and for our own names. */
export function suggestVariable(name: string): string | undefined {
  if (isVariable(name) || isVariable(name.replace(/_FILE$/, ''))) return undefined
  const meant = plain(name)
  return KNOWN.find((known) => {
    const wanted = plain(known)
    if (meant === wanted) return PREFIX.test(name) || !COMMON.has(known)
    return wanted.length >= MIN_LENGTH_FOR_TYPO && isOneTypoApart(meant, wanted)
  })
}

function plain(name: string): string {
  return name.toUpperCase().replace(PREFIX, '').replaceAll('_', '')
}
