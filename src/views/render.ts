// Makes HTML from the templates beside this file. Everything is escaped; the raw tag stands only where a template includes another.
import { fileURLToPath } from 'node:url'
import { Eta } from 'eta'
import { LANGUAGES } from '../i18n/translate.ts'
import { type Assets, assetPaths } from './assets.ts'
import type { PageData, Pages, ViewName } from './pages.ts'

export interface ViewOptions {
  /** The name in the wordmark and in every title. */
  readonly siteName: string
  /** Puts the membership's path before a path of ours: `/login` becomes `/members/login`. */
  readonly url: (path: string) => string
  /** Where the wordmark leads. Default: `/`, the host's front page, which is not below the membership's path. */
  readonly home?: string
  /** Whether a path of ours is served; links to what the application left out are not shown. Default: everything is. */
  readonly serves?: (path: string) => boolean
  /** Default: those without anything of an application's. */
  readonly assets?: Assets['paths']
}

export interface Views {
  /** The whole page. */
  page<Name extends ViewName>(view: Name, data: PageData & Pages[Name]): string
}

/** Templates are read and compiled at their first use and kept. */
export function createViews(options: ViewOptions): Views {
  const eta = new Eta({
    views: fileURLToPath(new URL('.', import.meta.url)),
    cache: true,
    autoEscape: true,
    // A line break after a value is a space in the text: it stays.
    autoTrim: false,
    escapeFunction: escapeHtml,
  })
  const site = {
    siteName: options.siteName,
    url: options.url,
    home: options.home ?? '/',
    serves: options.serves ?? (() => true),
    assets: options.assets ?? assetPaths,
    initial: firstLetter,
    languages: LANGUAGES,
  }
  return {
    page: (view, data) => eta.render(`pages/${view}`, { ...data, ...site, view }).trimStart(),
  }
}

const ENTITIES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' }

/** Safe in a text and in a quoted attribute, the only two places where our templates put values. */
function escapeHtml(value: unknown): string {
  if (typeof value !== 'string' && typeof value !== 'number')
    throw new TypeError(`a view printed a value of type ${typeof value}`)
  return String(value).replace(/[&<>"']/g, (character) => ENTITIES[character] ?? '')
}

// Made once: making one takes a tenth of the time of a page.
const SEGMENTER = new Intl.Segmenter()

/** What a reader would call the first letter of a name, whatever it is made of. */
function firstLetter(name: string): string {
  const [first] = SEGMENTER.segment(name)
  return (first?.segment ?? '').toLocaleUpperCase()
}
