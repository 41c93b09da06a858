// Holds the option `features` to the features that there are.
import { refuseUnknown } from '../settings/check.ts'
import type { FeatureChoices } from '../settings/options.ts'
import { LOCAL_PATH } from '../settings/table.ts'
import type { AnyFeature } from './feature.ts'

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

function checkMoved(where: string, path: string, fault: (text: string) => void): void {
  if (!LOCAL_PATH.test(path)) fault(`${where} must be a path like '/some/path', without a slash at the end`)
  if (/^\/(?:api|assets)(?:\/|$)/.test(path)) fault(`${where} must not begin with /api or /assets`)
}

function checkOwnPage(where: string, of: string, choice: { readonly own: string }, fault: (text: string) => void): void {
  if (of !== 'page') return fault(`${where} is no page: it can be moved, '/some/path'`)
  if (!LOCAL_PATH.test(choice.own ?? '')) fault(`${where} must be { own: '/some/path' }, the path of a page of your application`)
}
