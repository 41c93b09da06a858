// Picks the language of a page: the visitor's choice, what the browser asks for, the site's.
import { LOCALES, type Locale } from './translate.ts'

/** A header longer than this is no list of languages; the rest is not read. */
const MAX_CHARACTERS = 400
const MAX_LANGUAGES = 20

/**
 * `chosen`: the strongest first. Of `acceptLanguage` (RFC 9110 section 12.5.4) what is ours in the same script: `zh-HK` finds `zh-TW`.
 * Another script (`zh-CN`) counts only where nothing else is ours: it can be read, and the site's language was not asked for at all.
 */
export function pickLocale(
  chosen: readonly (string | undefined)[],
  acceptLanguage: string | undefined,
  fallback: Locale,
): Locale {
  const own = first(chosen.map((tag) => matchingLocale(tag ?? '')))
  if (own) return own
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

/** Shares the language, whatever its script. */
function relatedLocale(wanted: string): Locale | undefined {
  const language = wanted.toLowerCase().split('-')[0]
  return LOCALES.find((locale) => locale.split('-')[0] === language)
}

const TRADITIONAL_REGIONS = new Set(['tw', 'hk', 'mo'])

/** The script of a tag (RFC 5646), by what it says and by its region; no table of `Intl`, which costs a tenth of a millisecond a tag. */
function scriptOf(tag: string): string {
  const [language, ...subtags] = tag.toLowerCase().split('-')
  const script = subtags.find((subtag) => /^[a-z]{4}$/.test(subtag))
  if (script !== undefined) return script
  if (language !== 'zh') return 'latn'
  return subtags.some((subtag) => TRADITIONAL_REGIONS.has(subtag)) ? 'hant' : 'hans'
}
