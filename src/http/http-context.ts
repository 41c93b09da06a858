// What all requests share, and the request as pages and their parts see it.
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
  /** Style sheet, script and icon by their paths below `path`. */
  readonly assets: ReadonlyMap<string, StaticFile>
  /** The prefix of the membership's paths: `''` or `/members`. */
  readonly path: string
  /** The full local path by name; undefined if its feature is left out. */
  readonly url: Paths['url']
  readonly isOurPath: Paths['isOurs']
  /** The default target of redirects: the profile, or the application's front page. */
  readonly home: string
  /** Scheme, host and port of `baseUrl`. */
  readonly origin: string
  readonly translator: (locale: Locale) => Translate<string>
  /** The parts that features have on pages of others. */
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
  /** The full key of its text. */
  readonly text: string
  readonly who: 'guest' | 'member'
  readonly isButton: boolean
  /** Whether the menu shows it. Default: always. */
  readonly when?: (settings: Settings) => boolean
}

/** A piece of HTML on the page of another feature, rendered by a template of its own. */
export interface Part<Loaded = Awaitable<object | undefined>> {
  readonly template: FeatureTemplate
  /** Loads the template's data; undefined: the part is not shown to this person. */
  load(context: PageContext): Loaded
}

/** A part of every page. It is synchronous, as the page that says that the store is away has it too. */
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
  /** The local path for after the act, if the form or the URL has one. */
  readonly returnTo: string | undefined
  /** The number of the flow that the form or the URL names. */
  readonly flow: string | undefined
  /** A value of the query string, for reads only. */
  query(name: string): string | undefined
}

export type Endpoint = 'page' | 'api'
