// What the features make together: routes, texts, and what they put on pages of others.
import type { Catalogue, Locale } from '../i18n/translate.ts'
import type { Settings } from '../settings/options.ts'
import type { ActionEndpoint } from './action-types.ts'
import type { AnyFeature } from './feature.ts'
import type { PageParts } from './http-context.ts'
import type { Paths } from './paths.ts'

/** An action at one endpoint, under its full local path. */
export interface Route extends ActionEndpoint {
  readonly path: string
  /** The name of the path that it is at, or below. */
  readonly at: string
  /** The application shows the page at this path itself. */
  readonly hasOwnPage: boolean
}

export function routesOf(features: readonly AnyFeature[], paths: Paths, settings: Settings): readonly Route[] {
  return features.flatMap(({ name, actions }) =>
    actions.flatMap((action) => {
      const place = paths.place(name, action.at)
      return action.endpoints(settings, place.ownPage).map((endpoint) => {
        const isPage = endpoint.endpoint === 'page'
        const path = isPage ? place.page : place.api
        return { ...endpoint, path, at: `${name}.${action.at.split('/')[0]}`, hasOwnPage: isPage && place.ownPage !== undefined }
      })
    }),
  )
}

/** `/sessions/:id/end` as a pattern. */
export function patternOf(path: string): RegExp {
  return new RegExp(`^${path.replaceAll('.', '\\.').replaceAll(/:(\w+)/g, '(?<$1>[^/]+)')}$`)
}

/** Of every language. A notice and the text of an event are told on pages of others, so they keep their keys; two of one name are a fault. */
export function textsOf(features: readonly AnyFeature[]): Readonly<Record<Locale, Catalogue>> {
  const of = (locale: Locale): Catalogue => {
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
  return { en: of('en'), 'zh-TW': of('zh-TW') }
}

export function partsOf(features: readonly AnyFeature[], paths: Paths): PageParts {
  return {
    menu: features.flatMap(({ name, on }) =>
      (on?.menu ?? []).map(({ at, text, as = 'link', ...entry }) => {
        const { page, ownPage = page } = paths.place(name, at)
        return { ...entry, href: as === 'button' ? page : ownPage, text: `${name}.${text}`, isButton: as === 'button' }
      }),
    ),
    header: features.flatMap(({ on }) => on?.header ?? []),
    login: features.flatMap(({ on }) => on?.login ?? []),
    security: features.flatMap(({ on }) => on?.security ?? []),
  }
}
