// Turns a key of the catalogue into a sentence in the reader's language, as plain text.
import { BoundedCache } from '../domain/bounded-cache.ts'
import en from './en.json' with { type: 'json' }
import zhTW from './zh-TW.json' with { type: 'json' }

/** The form of a counted text for one. A language that has no such form, as Chinese, leaves it out. */
type Singular<Key> = Extract<Key, `${string}.one`>

/** The texts that stand here. Features bring texts of their own. */
export type Texts = Exclude<keyof typeof en, Singular<keyof typeof en>>

export type Catalogue = Readonly<Record<string, string>>

/** The texts of a feature. The other languages must have what English has: a missing text fails the type check. */
export interface TextsOf<En extends Catalogue = Catalogue> {
  readonly en: En
  readonly 'zh-TW': { readonly [Key in keyof En as Exclude<Key, Singular<Key>>]: string }
}

export const LOCALES = ['en', 'zh-TW'] as const
export type Locale = (typeof LOCALES)[number]

/** What goes into the braces of a text. */
type TextValues = Readonly<Record<string, string | number>>

export interface Translate<Key extends string = Texts> {
  /** The text of a key, `{name}` replaced: `t('layout.home', { site: 'Guildhall' })`. Throws a TypeError if there is none. */
  (key: Key, values?: TextValues): string
  /** The plural form that fits `n`, which is also there as `{n}`: `t.count('summary.fields', 2)`. */
  count(key: string, n: number, values?: TextValues): string
  has(key: string): boolean
  /** A moment in UTC, because the server does not know the reader's clock, and says so. `short`: 4 May 2026 (UTC). `long`: with the time. */
  date(at: Date | number, length: 'short' | 'long'): string
  /** How far a moment is from now, either way: `2 hours ago`, `in 3 days`, `just now`. */
  ago(from: Date | number, nowMs: number): string
  /** How long something takes, rounded up: `30 seconds`, `10 minutes`, `3 hours`. */
  span(seconds: number): string
  readonly locale: Locale
}

const BASE: TextsOf<typeof en> = { en, 'zh-TW': zhTW }

/** How a language writes dates. English puts the day before the month, which nobody misreads. */
const DATE_STYLE: Readonly<Record<Locale, string>> = { en: 'en-GB', 'zh-TW': 'zh-TW' }

const MINUTE = 60_000
const DAY = 24 * 60 * MINUTE
/** Writing a date takes longer than anything else on a page, and pages show the same ones again. */
const MAX_DAYS = 1000
const UNITS = [
  { unit: 'year', ms: 365 * DAY },
  { unit: 'month', ms: 30 * DAY },
  { unit: 'day', ms: DAY },
  { unit: 'hour', ms: 60 * MINUTE },
  { unit: 'minute', ms: MINUTE },
] as const

const HOURS = { unit: 'hour', ms: 60 * MINUTE }
/** The longest span, in seconds, that is told in a unit. */
const SPANS = [
  { unit: 'second', ms: 1000, upTo: 60 },
  { unit: 'minute', ms: MINUTE, upTo: 2 * 60 * 60 },
]

/** The texts of one language, those of the features left out. */
export const translator: (locale: Locale) => Translate = createTranslators()

/** Translators that know the texts of features too. Made once per language, shared afterwards. */
export function createTranslators(
  more: Readonly<Partial<Record<Locale, Catalogue>>> = {},
): (locale: Locale) => Translate<string> {
  const made = new Map<Locale, Translate<string>>()
  return (locale) => {
    const known = made.get(locale) ?? createTranslate(locale, { ...BASE[locale], ...more[locale] })
    made.set(locale, known)
    return known
  }
}

function createTranslate(locale: Locale, texts: Catalogue): Translate<string> {
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

  /** The parts of a text: what stands as it is, and names in braces, by turns. */
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

  const has = (key: string): boolean => Object.hasOwn(texts, key)

  const get = (key: string): string => {
    const text = has(key) ? texts[key] : undefined
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

/** Every language of ours in its own words: `繁體中文`. */
export const LANGUAGES: readonly { readonly locale: Locale; readonly name: string }[] = LOCALES.map((locale) => ({
  locale,
  name: BASE[locale]['language.name'],
}))
