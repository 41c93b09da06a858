// Checks the option `features`: names, paths, and conflicts between routes.
import { isGroup, refuseUnknown } from '../settings/check.ts'
import type { FeatureChoices } from '../settings/options.ts'
import { LOCAL_PATH } from '../settings/table.ts'
import type { AnyFeature } from './feature.ts'
import { patternOf, type Route } from './routes.ts'

export function checkFeatures(choices: unknown, features: readonly AnyFeature[], fault: (text: string) => void): void {
  if (!isGroup(choices)) return fault('features must be an object like { registration: false }')
  const names = features.map(({ name }) => name)
  refuseUnknown('features.', choices, names, fault)
  for (const { name, paths } of features) {
    const chosen: unknown = Reflect.get(choices, name)
    if (name === 'login' && chosen === false) {
      fault(
        "features.login cannot be left out, guards send people there: { page: { own: '/sign-in' } } sends them to a page of yours",
      )
    }
    if (chosen === false || chosen === undefined) continue
    if (!isGroup(chosen)) {
      fault(`features.${name} must be false, or paths like { ${Object.keys(paths)[0]}: '/some/path' }`)
      continue
    }
    refuseUnknown(`features.${name}.`, chosen, Object.keys(paths), fault)
    for (const pathName of Object.keys(chosen)) {
      const choice: unknown = Reflect.get(chosen, pathName)
      const where = `features.${name}.${pathName}`
      if (isGroup(choice)) checkOwnPage(where, pathName, choice, fault)
      else if (choice !== undefined) checkMoved(where, choice, fault)
    }
  }
}

/** Finds conflicts between choices that are valid by themselves. */
export function checkRoutes(choices: FeatureChoices, routes: readonly Route[], fault: (text: string) => void): void {
  const taken = new Map<string, Route>()
  const shared = new Set<string>()
  for (const route of routes) {
    // The application's own page gets all reads of its path, so no other route may have them.
    for (const method of new Set([route.method, ...(route.hasOwnPage ? ['GET'] : [])])) {
      const other = taken.get(`${method} ${route.path}`)
      const both = `features.${other?.at} and features.${route.at}`
      // Reported once: their JSON endpoints then conflict too.
      if (other && !shared.has(both)) fault(`${both} cannot both be at ${other.path}`)
      if (other) shared.add(both)
      taken.set(`${method} ${route.path}`, other ?? route)
    }
  }
  for (const [name, chosen] of Object.entries(choices)) {
    for (const [pathName, choice] of Object.entries(chosen || {})) {
      if (typeof choice !== 'object') continue
      // Guards would redirect people in a circle, or to the wrong page.
      const conflict = routes.find(({ path, hasOwnPage }) => !hasOwnPage && patternOf(path).test(choice.own))
      if (conflict)
        fault(
          `features.${name}.${pathName} is to be a page of your application, and ${choice.own} is served for features.${conflict.at}`,
        )
    }
  }
}

function checkMoved(where: string, path: unknown, fault: (text: string) => void): void {
  if (!isLocalPath(path)) fault(`${where} must be a path like '/some/path', without a slash at the end`)
  else if (/^\/(?:api|assets)(?:\/|$)/.test(path)) fault(`${where} must not begin with /api or /assets`)
}

function checkOwnPage(where: string, pathName: string, choice: object, fault: (text: string) => void): void {
  if (pathName !== 'page') return fault(`${where} is no page: it can be moved, '/some/path'`)
  if (!isLocalPath(Reflect.get(choice, 'own')))
    fault(`${where} must be { own: '/some/path' }, the path of a page of your application`)
}

function isLocalPath(path: unknown): path is string {
  return typeof path === 'string' && LOCAL_PATH.test(path)
}
