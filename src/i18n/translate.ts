// Translates the keys of the catalogue into plain text in the reader's language.
import { BoundedCache } from '../domain/bounded-cache.ts'
import en from './en.json' with { type: 'json' }
import zhTW from './zh-TW.json' with { type: 'json' }

/** The singular form of a counted text. A language without one, such as Chinese, leaves it out. */
type Singular<Key> = Extract<Key, `${string}.one`>

/** The keys of the texts in this folder. Features have texts of their own. */
export type TextKey = Exclude<keyof typeof en, Singular<keyof typeof en>>

export type Catalogue = Readonly<Record<string, string>>

/** The texts of a feature. The other languages need all keys of English: a missing one fails the type check. */
export interface FeatureTexts<En extends Catalogue = Catalogue> {
  readonly en: En
  readonly 'zh-TW': { readonly [Key in keyof En as Exclude<Key, Singular<Key>>]: string }
}

export const LOCALES = ['en', 'zh-TW'] as const
export type Locale = (typeof LOCALES)[number]

/** The values for the braces in a text. */
type TextValues = Readonly<Record<string, string | number>>

export interface Translate<Key extends string = TextKey> {
  /** The text of a key, `{name}` replaced: `t('layout.home', { site: 'Guildhall' })`. Throws a TypeError if there is none. */
  (key: Key, values?: TextValues): string
  /** The plural form for `n`, which fills `{n}`: `t.count('summary.fields', 2)`. */
  count(key: string, n: number, values?: TextValues): string
  has(key: string): boolean
  /**
   * A date in UTC, marked as such, as the server does not know the reader's time zone. `short`: 4 May 2026 (UTC). `long`: with the time.
   */
  date(at: Date | number, length: 'short' | 'long'): string
  /** How far a time is from now: `2 hours ago`, `in 3 days`, `just now`. */
  ago(from: Date | number, nowMs: number): string
  /** A duration, rounded up: `30 seconds`, `10 minutes`, `3 hours`. */
  span(seconds: number): string
  readonly locale: Locale
}

const BASE: FeatureTexts<typeof en> = { en, 'zh-TW': zhTW }

/** The locale for dates. In English the day comes before the month's name, which cannot be misread. */
const DATE_STYLE: Readonly<Record<Locale, string>> = { en: 'en-GB', 'zh-TW': 'zh-TW' }

const MINUTE = 60_000
const DAY = 24 * 60 * MINUTE
/** Formatting a date is the slowest part of a page, and the same dates are shown again. */
const MAX_DAYS = 1000
const UNITS = [
  { unit: 'year', ms: 365 * DAY },
  { unit: 'month', ms: 30 * DAY },
  { unit: 'day', ms: DAY },
  { unit: 'hour', ms: 60 * MINUTE },
  { unit: 'minute', ms: MINUTE },
] as const

const HOURS = { unit: 'hour', ms: 60 * MINUTE }
/** Each unit with the longest span, in seconds, that it is used for. */
const SPANS = [
  { unit: 'second', ms: 1000, upTo: 60 },
  { unit: 'minute', ms: MINUTE, upTo: 2 * 60 * 60 },
]

/** The texts of one language, without those of features. */
export const translator: (locale: Locale) => Translate = createTranslators()

/** Translators that include the texts of features, one per language. */
export function createTranslators(
  more: Readonly<Partial<Record<Locale, Catalogue>>> = {},
): (locale: Locale) => Translate<string> {
  const made = new Map<Locale, Translate<string>>()
  return (locale) => {
    const known = made.get(locale) ?? createTranslate(locale, new Map(Object.entries({ ...BASE[locale], ...more[locale] })))
    made.set(locale, known)
    return known
  }
}

function createTranslate(locale: Locale, texts: ReadonlyMap<string, string>): Translate<string> {
  const plural = new Intl.PluralRules(locale)
  const number = new Intl.NumberFormat(locale)
  const relative = new Intl.RelativeTimeFormat(locale, { numeric: 'always' })
  const short = new Intl.DateTimeFormat(DATE_STYLE[locale], { dateStyle: 'long', timeZone: 'UTC' })
  const long = new Intl.DateTimeFormat(DATE_STYLE[locale], {
    day: 'numeric',
    month: 'long',
    year: 'numeric',
    hour: '2-digit',
    minute: '2-digit',
    hourCycle: 'h23',
    timeZone: 'UTC',
  })

  const parts = new Map<string, readonly string[]>()

  /** The parts of a text: literal text and names in braces alternate. */
  const partsOf = (text: string): readonly string[] => {
    const known = parts.get(text)
    if (known !== undefined) return known
    const split = text.split(/\{(\w+)\}/)
    parts.set(text, split)
    return split
  }

  const fill = (text: string, values: TextValues): string => {
    let filled = ''
    for (const [at, part] of partsOf(text).entries()) {
      if (at % 2 === 0) filled += part
      else if (!Object.hasOwn(values, part)) filled += `{${part}}`
      else {
        const value = values[part]
        filled += typeof value === 'number' ? number.format(value) : String(value)
      }
    }
    return filled
  }

  const has = (key: string): boolean => texts.has(key)

  const get = (key: string): string => {
    const text = texts.get(key)
    if (text === undefined) throw new TypeError(`there is no text '${key}'`)
    return text
  }

  const translate = (key: string, values?: TextValues): string => (values === undefined ? get(key) : fill(get(key), values))

  const count = (key: string, n: number, values: TextValues = {}): string => {
    const isSingular = plural.select(n) === 'one' && has(`${key}.one`)
    return fill(get(`${key}.${isSingular ? 'one' : 'other'}`), { n, ...values })
  }

  const days = new BoundedCache<string>(MAX_DAYS)

  const day = (at: Date | number): string => {
    const key = String(Math.floor(Number(at) / DAY))
    const known = days.get(key)
    if (known !== undefined) return known
    const text = fill(get('time.day'), { day: short.format(at) })
    days.set(key, text)
    return text
  }

  const date = (at: Date | number, length: 'short' | 'long'): string => (length === 'short' ? day(at) : `${long.format(at)} UTC`)

  const ago = (from: Date | number, nowMs: number): string => {
    const distance = Number(from) - nowMs
    const fitting = UNITS.find(({ ms }) => Math.abs(distance) >= ms)
    if (!fitting) return get('time.just_now')
    return relative.format(Math.trunc(distance / fitting.ms), fitting.unit)
  }

  const span = (seconds: number): string => {
    const { unit, ms } = SPANS.find(({ upTo }) => seconds <= upTo) ?? HOURS
    const whole = Math.ceil((seconds * 1000) / ms)
    return new Intl.NumberFormat(locale, { style: 'unit', unit, unitDisplay: 'long' }).format(whole)
  }

  return Object.assign(translate, { count, has, date, ago, span, locale })
}

/** Every language, in its own name: `繁體中文`. */
export const LANGUAGES: readonly { readonly locale: Locale; readonly name: string }[] = LOCALES.map((locale) => ({
  locale,
  name: BASE[locale]['language.name'],
}))
