// Our paths by name, with the prefix of the membership and the changes of the application.
import type { FeatureChoices, LocalPath } from '../settings/options.ts'

/** All path names; `features/all.ts` merges them in. */
// biome-ignore lint/suspicious/noEmptyInterface: its members are inferred from the list of features.
export interface NamedPaths {}

/** `'login.page'`: a feature and one of its paths. */
export type PathName = keyof NamedPaths

export interface Paths {
  /** The full local path of a name, with `below` appended; undefined if its feature is left out. */
  url(name: PathName, below?: string): string | undefined
  /** The same for a name that no type checks. */
  find(name: string): string | undefined
  /** Whether a local path is that of one of our pages, below one, or that of the application's page that replaces one. */
  isOurs(path: string): boolean
  /** The paths of an action, and that of the application's page that replaces ours. */
  locate(feature: string, at: string): { readonly page: string; readonly api: string; readonly ownPage: string | undefined }
}

interface WithPaths {
  readonly name: string
  readonly paths: Readonly<Record<string, LocalPath>>
}

/** `served`: the features that are not left out. */
export function createPaths(
  prefix: string,
  features: readonly WithPaths[],
  choices: FeatureChoices,
  served: readonly WithPaths[] = features,
): Paths {
  const locations = new Map<string, { path: string; own: string | undefined }>()
  for (const { name, paths } of served) {
    const chosen = choices[name] || undefined
    for (const [pathName, declared] of Object.entries(paths)) {
      const choice = chosen?.[pathName]
      const path = typeof choice === 'string' ? choice : declared
      locations.set(`${name}.${pathName}`, { path, own: typeof choice === 'object' ? choice.own : undefined })
    }
  }
  const known = new Set(features.flatMap(({ name, paths }) => Object.keys(paths).map((path) => `${name}.${path}`)))
  const find = (name: string, below = ''): string | undefined => {
    const location = locations.get(name)
    // Templates are not type checked: a misspelt name must not look like a feature that is left out.
    if (!location && !known.has(name)) throw new TypeError(`there is no path '${name}'`)
    return location && (location.own ?? `${prefix}${location.path}`) + below
  }
  return {
    url: find,
    find: (name) => find(name),
    isOurs(path) {
      const [page = ''] = path.split(/[?#]/, 1)
      return [...locations.values()].some(({ path: ours, own }) => {
        const full = own ?? prefix + ours
        return page === full || page.startsWith(`${full}/`)
      })
    },
    locate(feature, at) {
      const [pathName = '', ...rest] = at.split('/')
      const location = locations.get(`${feature}.${pathName}`)
      if (!location) throw new TypeError(`the feature ${feature} has an action at '${at}', and no path '${pathName}'`)
      const path = [location.path, ...rest].join('/')
      return { page: prefix + path, api: `${prefix}/api${path}`, ownPage: rest.length === 0 ? location.own : undefined }
    },
  }
}
