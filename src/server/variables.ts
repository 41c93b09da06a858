// The names of our settings, and the names that look like a mistyped one of ours.

export const VARIABLES = [
  'NODE_ENV', 'PORT', 'HOST', 'BASE_URL', 'INSECURE_HTTP', 'TLS_CERT', 'TLS_KEY', 'TRUST_PROXY', 'WORKERS',
  'DATABASE_URL', 'REDIS_URL', 'SECRET', 'PASSWORD_PEPPER', 'TRUSTED_ORIGINS', 'STRICT_ORIGIN', 'SITE_NAME', 'LOCALE', 'REGISTRATION', 'RATE_LIMIT',
  'SESSION_IDLE_TIMEOUT', 'SESSION_ABSOLUTE_TIMEOUT', 'REMEMBER_IDLE_TIMEOUT', 'REMEMBER_ABSOLUTE_TIMEOUT', 'COOKIE_NAME', 'COOKIE_SAME_SITE',
  'PASSWORD_HASH', 'PASSWORD_MIN_LENGTH', 'HASH_MEMORY_KIB', 'HASH_PASSES', 'HASH_WORKERS', 'HASH_QUEUE',
  'LOG_LEVEL', 'LOG_FORMAT', 'METRICS_TOKEN',
] as const // biome-ignore format: a list of names reads as a block

/** Settings of later versions. Whoever sets one expects it to work: it is a fault, not silence. */
export const LATER_VARIABLES = ['REGISTRATION_DOMAINS', 'EMAIL', 'SMTP_URL', 'MAIL_FROM'] as const

export type Variable = (typeof VARIABLES)[number] | (typeof LATER_VARIABLES)[number]

const KNOWN: readonly Variable[] = [...VARIABLES, ...LATER_VARIABLES]
/** Other programs have a `host` or a `port` of their own. */
const COMMON: ReadonlySet<Variable> = new Set(['HOST', 'PORT', 'SECRET', 'EMAIL', 'LOCALE'])
const PREFIX = /^GUILDHALL_?/
/** Shorter names are too often near to something else. */
const LONG_ENOUGH = 8

export function isVariable(name: string): name is Variable {
  return KNOWN.some((known) => known === name)
}

/** The setting that was probably meant: `BASEURL`, `base_url`, `GUILDHALL_BASE_URL`, `TRUSTED_ORIGIN`. Undefined for all others and for our own names. */
export function nearMiss(name: string): Variable | undefined {
  if (isVariable(name) || isVariable(name.replace(/_FILE$/, ''))) return undefined
  const given = plain(name)
  return KNOWN.find((known) => {
    const wanted = plain(known)
    if (given === wanted) return PREFIX.test(name) || !COMMON.has(known)
    return wanted.length >= LONG_ENOUGH && isOneTypoApart(given, wanted)
  })
}

function plain(name: string): string {
  return name.toUpperCase().replace(PREFIX, '').replaceAll('_', '')
}

/** One letter more, less or other, or two neighbours the wrong way round. */
function isOneTypoApart(a: string, b: string): boolean {
  if (Math.abs(a.length - b.length) > 1) return false
  let start = 0
  while (start < Math.min(a.length, b.length) && a[start] === b[start]) start++
  const rest = (text: string, skip: number) => text.slice(start + skip)
  if (rest(a, 1) === rest(b, 1) || rest(a, 1) === rest(b, 0) || rest(a, 0) === rest(b, 1)) return true
  return a[start] === b[start + 1] && a[start + 1] === b[start] && rest(a, 2) === rest(b, 2)
}
