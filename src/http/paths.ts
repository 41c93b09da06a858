// Our paths by name: below the path of the membership, moved where the application says.
import type { FeatureChoices, LocalPath } from '../settings/options.ts'

/** The names that there are: `features/all.ts` fills them in from the list. */
// biome-ignore lint/suspicious/noEmptyInterface: its members are read off the list of features.
export interface NamedPaths {}

/** `'login.page'`: the feature, and its name for the path. */
export type PathName = keyof NamedPaths

export interface Paths {
  /** The full local path of a named one, and of what lies below it; undefined if its feature is left out. */
  url(name: PathName, below?: string): string | undefined
  /** Whether a local path is of a page of ours, below one, or of the application's page in the place of one. */
  isOurs(path: string): boolean
  /** Where an action is served, and the application's page in the place of ours. */
  place(feature: string, at: string): { readonly page: string; readonly api: string; readonly ownPage: string | undefined }
}

interface WithPaths {
  readonly name: string
  readonly paths: Readonly<Record<string, LocalPath>>
}

export function createPaths(prefix: string, features: readonly WithPaths[], choices: FeatureChoices): Paths {
  const places = new Map<string, { path: string; own: string | undefined }>()
  for (const { name, paths } of features) {
    const chosen = choices[name]
    if (chosen === false) continue
    for (const [of, declared] of Object.entries(paths)) {
      const choice = chosen?.[of]
      const path = typeof choice === 'string' ? choice : declared
      places.set(`${name}.${of}`, { path, own: typeof choice === 'object' ? choice.own : undefined })
    }
  }
  const known = new Set(features.flatMap(({ name, paths }) => Object.keys(paths).map((path) => `${name}.${path}`)))
  return {
    url(name, below = '') {
      const place = places.get(name)
      // A template is not type checked: a name that nobody has must not look like a feature that is left out.
      if (!place && !known.has(name)) throw new TypeError(`there is no path '${name}'`)
      return place && (place.own ?? `${prefix}${place.path}`) + below
    },
    isOurs(path) {
      const [page = ''] = path.split(/[?#]/, 1)
      return [...places.values()].some(({ path: ours, own }) => {
        const full = own ?? prefix + ours
        return page === full || page.startsWith(`${full}/`)
      })
    },
    place(feature, at) {
      const [of = '', ...rest] = at.split('/')
      const place = places.get(`${feature}.${of}`)
      if (!place) throw new TypeError(`the feature ${feature} has an action at '${at}', and no path '${of}'`)
      const path = [place.path, ...rest].join('/')
      return { page: prefix + path, api: `${prefix}/api${path}`, ownPage: rest.length === 0 ? place.own : undefined }
    },
  }
}
