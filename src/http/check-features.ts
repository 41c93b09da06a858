// Holds the option `features` to the features that there are, and to the routes that it makes.
import { refuseUnknown } from '../settings/check.ts'
import type { FeatureChoices } from '../settings/options.ts'
import { LOCAL_PATH } from '../settings/table.ts'
import type { AnyFeature } from './feature.ts'
import { patternOf, type Route } from './routes.ts'

export function checkFeatures(choices: FeatureChoices, features: readonly AnyFeature[], fault: (text: string) => void): void {
  const names = features.map(({ name }) => name)
  refuseUnknown('features.', choices, names, fault)
  if (choices.login === false) {
    fault(
      "features.login cannot be left out, guards send people there: { page: { own: '/sign-in' } } sends them to a page of yours",
    )
  }
  for (const { name, paths } of features) {
    const chosen = choices[name]
    if (chosen === false || chosen === undefined) continue
    if (typeof chosen !== 'object') {
      fault(`features.${name} must be false, or paths like { ${Object.keys(paths)[0]}: '/some/path' }`)
      continue
    }
    refuseUnknown(`features.${name}.`, chosen, Object.keys(paths), fault)
    for (const [of, choice] of Object.entries(chosen)) {
      const where = `features.${name}.${of}`
      if (typeof choice === 'object') checkOwnPage(where, of, choice, fault)
      else if (choice !== undefined) checkMoved(where, choice, fault)
    }
  }
}

/** Holds choices that are right by themselves to each other. */
export function checkRoutes(choices: FeatureChoices, routes: readonly Route[], fault: (text: string) => void): void {
  const taken = new Map<string, Route>()
  const told = new Set<string>()
  for (const route of routes) {
    // Reads of a page that the application shows go on to it, whoever else would serve them.
    for (const method of new Set([route.method, ...(route.hasOwnPage ? ['GET'] : [])])) {
      const other = taken.get(`${method} ${route.path}`)
      if (other) told.add(`features.${other.at} and features.${route.at} cannot both be at ${other.path}`)
      taken.set(`${method} ${route.path}`, other ?? route)
    }
  }
  for (const [name, chosen] of Object.entries(choices)) {
    for (const [of, choice] of Object.entries(chosen || {})) {
      if (typeof choice !== 'object') continue
      // Guards would send people round in a circle, or to a page that asks for something else.
      const ours = routes.find(({ path, hasOwnPage }) => !hasOwnPage && patternOf(path).test(choice.own))
      if (ours)
        told.add(
          `features.${name}.${of} is to be a page of your application, and ${choice.own} is served for features.${ours.at}`,
        )
    }
  }
  for (const text of told) fault(text)
}

function checkMoved(where: string, path: string, fault: (text: string) => void): void {
  if (!LOCAL_PATH.test(path)) fault(`${where} must be a path like '/some/path', without a slash at the end`)
  if (/^\/(?:api|assets)(?:\/|$)/.test(path)) fault(`${where} must not begin with /api or /assets`)
}

function checkOwnPage(where: string, of: string, choice: { readonly own: string }, fault: (text: string) => void): void {
  if (of !== 'page') return fault(`${where} is no page: it can be moved, '/some/path'`)
  if (!LOCAL_PATH.test(choice.own ?? '')) fault(`${where} must be { own: '/some/path' }, the path of a page of your application`)
}
