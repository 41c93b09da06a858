// Collects the routes, texts and parts of all features.
import type { Catalogue, Locale } from '../i18n/translate.ts'
import type { Settings } from '../settings/options.ts'
import type { ActionEndpoint } from './action-types.ts'
import type { AnyFeature } from './feature.ts'
import type { PageParts } from './http-context.ts'
import type { Paths } from './paths.ts'

/** An endpoint of an action at its full local path. */
export interface Route extends ActionEndpoint {
  readonly path: string
  /** The name of its path, or of the path above it. */
  readonly at: string
  /** Whether the application has a page of its own at this path. */
  readonly hasOwnPage: boolean
}

export function routesOf(features: readonly AnyFeature[], paths: Paths, settings: Settings): readonly Route[] {
  return features.flatMap(({ name, actions }) =>
    actions.flatMap((action) => {
      const location = paths.locate(name, action.at)
      return action.endpoints(settings, location.ownPage).map((endpoint) => {
        const isPage = endpoint.endpoint === 'page'
        const path = isPage ? location.page : location.api
        return {
          ...endpoint,
          path,
          at: `${name}.${action.at.split('/')[0]}`,
          hasOwnPage: isPage && location.ownPage !== undefined,
        }
      })
    }),
  )
}

/** The regular expression of a path like `/sessions/:id/end`. */
export function patternOf(path: string): RegExp {
  return new RegExp(`^${path.replaceAll('.', '\\.').replaceAll(/:(\w+)/g, '(?<$1>[^/]+)')}$`)
}

/**
 * The texts of all features by language. Notices and activity are used on pages of others, so their keys have no prefix; throws if two
 * features have the same.
 */
export function textsOf(features: readonly AnyFeature[]): Readonly<Record<Locale, Catalogue>> {
  const textsIn = (locale: Locale): Catalogue => {
    const all: Record<string, string> = {}
    for (const { name, texts } of features) {
      for (const [key, text] of Object.entries<string>(texts[locale])) {
        const full = /^(?:notice|activity)\./.test(key) ? key : `${name}.${key}`
        if (Object.hasOwn(all, full)) throw new TypeError(`two features have a text '${full}'`)
        all[full] = text
      }
    }
    return all
  }
  return { en: textsIn('en'), 'zh-TW': textsIn('zh-TW') }
}

export function partsOf(features: readonly AnyFeature[], paths: Paths): PageParts {
  return {
    menu: features.flatMap(({ name, on }) =>
      (on?.menu ?? []).map(({ at, text, as = 'link', ...entry }) => {
        const { page, ownPage = page } = paths.locate(name, at)
        return { ...entry, href: as === 'button' ? page : ownPage, text: `${name}.${text}`, isButton: as === 'button' }
      }),
    ),
    header: features.flatMap(({ on }) => on?.header ?? []),
    login: features.flatMap(({ on }) => on?.login ?? []),
    security: features.flatMap(({ on }) => on?.security ?? []),
  }
}
