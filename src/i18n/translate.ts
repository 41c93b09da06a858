// Turns a key of the catalogue into a sentence in the reader's language. Values are plain text; escaping is the view's work.
import en from './en.json' with { type: 'json' }
import zhTW from './zh-TW.json' with { type: 'json' }

/** The form of a counted text for one. A language that has no such form, as Chinese, leaves it out. */
type Singular = Extract<keyof typeof en, `${string}.one`>

/** Every text a person can read. The keys of `en` are the law for the other languages. */
export type Texts = Exclude<keyof typeof en, Singular>

/** Texts with a number in them, without their ending: `sessions.end_others`. */
type CountedTexts = Singular extends infer Key ? (Key extends `${infer Base}.one` ? Base : never) : never

/** A missing text fails the type check. */
type Catalogue = Readonly<Record<Texts, string> & Partial<Record<Singular, string>>>

export const LOCALES = ['en', 'zh-TW'] as const
export type Locale = (typeof LOCALES)[number]

/** What goes into the braces of a text. */
type TextValues = Readonly<Record<string, string | number>>

export interface Translate {
  /** The text of a key, `{name}` replaced: `t('layout.home', { site: 'Guildhall' })`. */
  (key: Texts, values?: TextValues): string
  /** The plural form that fits `n`, which is also there as `{n}`: `t.count('sessions.end_others', 2)`. */
  count(key: CountedTexts, n: number, values?: TextValues): string
  /** A moment in UTC, because the server does not know the reader's clock. `short`: 4 May 2026. `long`: with the time and `UTC`. */
  date(ms: number, length: 'short' | 'long'): string
  /** How far a moment is from now, either way: `2 hours ago`, `in 3 days`, `just now`. */
  ago(fromMs: number, nowMs: number): string
  readonly locale: Locale
}

const CATALOGUES: Readonly<Record<Locale, Catalogue>> = { en, 'zh-TW': zhTW }

/** How a language writes dates. English puts the day before the month, which nobody misreads. */
const DATE_STYLE: Readonly<Record<Locale, string>> = { en: 'en-GB', 'zh-TW': 'zh-TW' }

const MINUTE = 60_000
const UNITS = [
  { unit: 'year', ms: 365 * 24 * 60 * MINUTE },
  { unit: 'month', ms: 30 * 24 * 60 * MINUTE },
  { unit: 'day', ms: 24 * 60 * MINUTE },
  { unit: 'hour', ms: 60 * MINUTE },
  { unit: 'minute', ms: MINUTE },
] as const

const made = new Map<Locale, Translate>()

/** The texts of one language. Made once per language, shared afterwards. */
export function translator(locale: Locale): Translate {
  const known = made.get(locale)
  if (known) return known
  const fresh = makeTranslator(locale)
  made.set(locale, fresh)
  return fresh
}

function makeTranslator(locale: Locale): Translate {
  const texts = CATALOGUES[locale]
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

  const fill = (text: string, values: TextValues): string =>
    text.replace(/\{(\w+)\}/g, (whole, name: string) => {
      if (!Object.hasOwn(values, name)) return whole
      const value = values[name]
      return typeof value === 'number' ? number.format(value) : String(value)
    })

  const translate = (key: Texts, values: TextValues = {}): string => fill(texts[key], values)

  const count = (key: CountedTexts, n: number, values: TextValues = {}): string => {
    const singular = plural.select(n) === 'one' ? texts[`${key}.one`] : undefined
    return fill(singular ?? texts[`${key}.other`], { n, ...values })
  }

  const date = (ms: number, length: 'short' | 'long'): string =>
    length === 'short' ? short.format(ms) : `${long.format(ms)} UTC`

  const ago = (fromMs: number, nowMs: number): string => {
    const distance = fromMs - nowMs
    const fitting = UNITS.find(({ ms }) => Math.abs(distance) >= ms)
    if (!fitting) return texts['time.just_now']
    return relative.format(Math.trunc(distance / fitting.ms), fitting.unit)
  }

  return Object.assign(translate, { count, date, ago, locale })
}

/** Whether a key made of parts is one of ours. */
export function isText(key: string): key is Texts {
  return Object.hasOwn(en, key) && !key.endsWith('.one')
}

/** Every language of ours in its own words: `繁體中文`. */
export const LANGUAGES: readonly { readonly locale: Locale; readonly name: string }[] = LOCALES.map((locale) => ({
  locale,
  name: CATALOGUES[locale]['language.name'],
}))
