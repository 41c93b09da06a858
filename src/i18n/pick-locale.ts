// Decides the language of a page: the visitor's own choice first, then what the browser asks for, then the site's.
import { LOCALES, type Locale } from './translate.ts'

/** A header longer than this is no list of languages; the rest is not read. */
const MOST_CHARACTERS = 400

/** `chosen` is a cookie or a column and may hold anything; `acceptLanguage` is the header (RFC 9110 section 12.5.4). */
export function pickLocale(chosen: string | undefined, acceptLanguage: string | undefined, fallback: Locale): Locale {
  const own = chosen === undefined ? undefined : matchingLocale(chosen)
  if (own) return own
  for (const wanted of wantedLanguages(acceptLanguage ?? '')) {
    const match = matchingLocale(wanted)
    if (match) return match
  }
  return fallback
}

function wantedLanguages(header: string): string[] {
  return header
    .slice(0, MOST_CHARACTERS)
    .split(',')
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

/** `en-US` finds `en`; an exact match goes before one that shares only the language. */
function matchingLocale(wanted: string): Locale | undefined {
  const tag = wanted.toLowerCase()
  const exact = LOCALES.find((locale) => locale.toLowerCase() === tag)
  return exact ?? LOCALES.find((locale) => languageOf(locale) === languageOf(tag))
}

function languageOf(tag: string): string {
  return tag.toLowerCase().split('-')[0] ?? ''
}
