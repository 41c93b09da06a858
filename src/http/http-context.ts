// What the membership makes once for all requests, and what pages and their parts may look at.
import type { Request } from 'express'
import type { Caller } from '../core/caller.ts'
import type { Core } from '../core/core.ts'
import type { Awaitable } from '../domain/awaitable.ts'
import type { Locale, Translate } from '../i18n/translate.ts'
import type { Sessions } from '../session/request/middleware.ts'
import type { Settings } from '../settings/options.ts'
import type { SessionWithUser } from '../storage/contract.ts'
import type { FeatureTemplate, Views } from '../views/render.ts'
import type { Paths } from './paths.ts'
import type { StaticFile } from './static-file.ts'

export interface HttpContext {
  readonly core: Core
  readonly sessions: Sessions<SessionWithUser>
  readonly cookieName: string
  readonly views: Views
  /** The style sheet, the script and the icon, by their paths below `path`. */
  readonly assets: ReadonlyMap<string, StaticFile>
  /** Where the membership's paths begin: `''` or `/members`. */
  readonly path: string
  /** The full local path of a named one of ours; undefined if its feature is left out. */
  readonly url: Paths['url']
  readonly isOurPath: Paths['isOurs']
  /** Where a person goes who wanted nothing in particular: the profile, or the host's front page. */
  readonly home: string
  /** Scheme, host and port that people see. */
  readonly origin: string
  readonly translator: (locale: Locale) => Translate<string>
  /** What features put on pages of others. */
  readonly parts: PageParts
}

export interface PageParts {
  readonly menu: readonly NamedMenuEntry[]
  readonly header: readonly HeaderPart[]
  readonly login: readonly Part[]
  readonly security: readonly Part[]
}

export interface NamedMenuEntry {
  readonly href: string
  /** The key of its text in full. */
  readonly text: string
  readonly who: 'guest' | 'member'
  readonly isButton: boolean
  /** Whether the menu shows it. Default: always. */
  readonly when?: (settings: Settings) => boolean
}

/** A piece of HTML that a feature puts on the page of another, made by its own template. */
export interface Part<Loaded = Awaitable<object | undefined>> {
  readonly template: FeatureTemplate
  /** What the template needs to know; undefined: not shown to this person. */
  load(context: PageContext): Loaded
}

/** A part of every page, also of the one that says that the store is away: it waits for nothing. */
export type HeaderPart = Part<object | undefined>

export function part<Loaded>(template: FeatureTemplate, load: (context: PageContext) => Loaded): Part<Loaded> {
  return { template, load }
}

/** A request, as pages and their parts see it. */
export interface PageContext {
  readonly http: HttpContext
  readonly req: Request
  readonly core: Core
  readonly caller: Caller
  readonly t: Translate<string>
  readonly url: Paths['url']
  /** Where the person wants to go on, if they said so in the form or in the address. */
  readonly returnTo: string | undefined
  /** A value of the query string; only reads look here, never a write. */
  query(name: string): string | undefined
}

export type Endpoint = 'page' | 'api'
