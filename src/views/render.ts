// Makes HTML from templates; everything is escaped.
import { fileURLToPath } from 'node:url'
import { Eta } from 'eta'
import { escapeHtml } from '../domain/escape-html.ts'
import { LANGUAGES } from '../i18n/translate.ts'
import type { Assets } from './assets.ts'
import type { BasePages, PageData } from './pages.ts'

export interface ViewOptions {
  /** The name in the wordmark and in every title. */
  readonly siteName: string
  /** Where the membership's paths begin. Default: `''`. */
  readonly path?: string
  /** The full local path of a named one; undefined if the application left it out: then nothing links to it. */
  url(name: string, below?: string): string | undefined
  readonly assets: Assets['paths']
}

/** A template of a feature, by its folder and file: `login/login`. */
export type FeatureTemplate = `${string}/${string}`

export interface Views {
  /** A whole page that belongs to no feature. */
  page<Name extends keyof BasePages>(name: Name, data: PageData & BasePages[Name]): string
  /** The whole page of a feature. */
  featurePage<Data extends PageData>(template: FeatureTemplate, data: Data): string
  /** A piece of a page, from a feature. */
  part(template: FeatureTemplate, data: object): string
}

const SOURCES = fileURLToPath(new URL('..', import.meta.url))

/** Templates are read and compiled at their first use and kept. */
export function createViews({ siteName, path = '', url, assets }: ViewOptions): Views {
  const eta = new Eta({
    views: SOURCES,
    cache: true,
    autoEscape: true,
    // A line break after a value is a space in the text: it stays.
    autoTrim: false,
    escapeFunction: escapeValue,
  })
  resolveOnce(eta)
  const site = {
    siteName,
    url,
    assets: { style: path + assets.style, script: path + assets.script, icon: path + assets.icon },
    initial: firstLetter,
    languages: LANGUAGES.map(({ locale, name }) => ({ locale, htmlName: asciiHtml(name) })),
  }
  const render = (template: string, data: object) => eta.render(template, { ...data, ...site })
  return {
    page: (name, data) => render(`/views/pages/${name}`, data).trimStart(),
    featurePage: (template, data) => render(`/features/${template}`, data).trimStart(),
    part: (template, data) => render(`/features/${template}`, data),
  }
}

/** Templates are named from the root: one name is one file, which is looked for once. */
function resolveOnce(eta: Eta): void {
  const files = new Map<string, string>()
  const resolve = eta.resolvePath
  eta.resolvePath = function (name, options) {
    const known = files.get(name)
    if (known !== undefined) return known
    const file = resolve.call(this, name, options)
    files.set(name, file)
    return file
  }
}

/** A text and a quoted attribute are the only two places where our templates put values. */
function escapeValue(value: unknown): string {
  if (typeof value !== 'string' && typeof value !== 'number')
    throw new TypeError(`a view printed a value of type ${typeof value}`)
  return escapeHtml(String(value))
}

/**
 * One letter beyond Latin-1 makes V8 keep and encode the whole page as UTF-16, at a tenth of its time, and every page names the other
 * languages. Joined, not replaced: what is replaced in UTF-16 stays that.
 */
function asciiHtml(text: string): string {
  return Array.from(text, (character) => (character > '~' ? `&#${character.codePointAt(0)};` : escapeHtml(character))).join('')
}

// Made once: making one takes a tenth of the time of a page.
const SEGMENTER = new Intl.Segmenter()

/** What a reader would call the first letter of a name, whatever it is made of. */
function firstLetter(name: string): string {
  // A letter of ASCII before another stands by itself; only elsewhere may several code points make one letter.
  const first = /^[!-~](?=[ -~]|$)/.exec(name)?.[0] ?? SEGMENTER.segment(name).containing(0)?.segment ?? ''
  return first.toLocaleUpperCase()
}
