// Picks the language of a page: the visitor's choice, the browser's, or the site's.
import { LOCALES, type Locale } from './translate.ts'

/** No real list of languages is longer; the rest is not read. */
const MAX_CHARACTERS = 400
const MAX_LANGUAGES = 20

/**
 * `chosen`: in order of precedence. From `acceptLanguage` (RFC 9110 section 12.5.4) the first that we have in the same script: `zh-HK`
 * finds `zh-TW`. A language in another script (`zh-CN`) comes after all of those, but before the site's, as its reader can read it.
 */
export function pickLocale(
  chosen: readonly (string | undefined)[],
  acceptLanguage: string | undefined,
  fallback: Locale,
): Locale {
  const choice = first(chosen.map((tag) => matchingLocale(tag ?? '')))
  if (choice) return choice
  const wanted = wantedLanguages(acceptLanguage ?? '')
  return first(wanted.map(matchingLocale)) ?? first(wanted.map(relatedLocale)) ?? fallback
}

function first(locales: readonly (Locale | undefined)[]): Locale | undefined {
  return locales.find((locale) => locale !== undefined)
}

function wantedLanguages(header: string): string[] {
  return header
    .slice(0, MAX_CHARACTERS)
    .split(',', MAX_LANGUAGES)
    .map(parseRange)
    .filter(({ weight }) => weight > 0)
    .sort((a, b) => b.weight - a.weight)
    .map(({ tag }) => tag)
}

function parseRange(range: string): { tag: string; weight: number } {
  const [tag = '', ...parameters] = range.split(';').map((part) => part.trim())
  const quality = parameters.find((parameter) => /^q=/i.test(parameter))
  const weight = quality === undefined ? 1 : Number(quality.slice(2))
  return { tag, weight: Number.isFinite(weight) ? weight : 0 }
}

function matchingLocale(wanted: string): Locale | undefined {
  const related = relatedLocale(wanted)
  return related && scriptOf(related) === scriptOf(wanted) ? related : undefined
}

/** Our locale of that language, in any script. */
function relatedLocale(wanted: string): Locale | undefined {
  const language = wanted.toLowerCase().split('-')[0]
  return LOCALES.find((locale) => locale.split('-')[0] === language)
}

const TRADITIONAL_REGIONS = new Set(['tw', 'hk', 'mo'])

/** The script of a tag (RFC 5646), as written or by its region. `Intl.Locale` would take a tenth of a millisecond per tag. */
function scriptOf(tag: string): string {
  const [language, ...subtags] = tag.toLowerCase().split('-')
  const script = subtags.find((subtag) => /^[a-z]{4}$/.test(subtag))
  if (script !== undefined) return script
  if (language !== 'zh') return 'latn'
  return subtags.some((subtag) => TRADITIONAL_REGIONS.has(subtag)) ? 'hant' : 'hans'
}
