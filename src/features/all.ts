// The list of features, from which the types of their names and paths are inferred.
import type { LocalPath, PathChoice } from '../settings/options.ts'
import { emailVerification } from './email-verification/email-verification.ts'
import { language } from './language/language.ts'
import { login } from './login/login.ts'
import { logout } from './logout/logout.ts'
import { notMe } from './not-me/not-me.ts'
import { password } from './password/password.ts'
import { passwordReset } from './password-reset/password-reset.ts'
import { profile } from './profile/profile.ts'
import { recentLogin } from './recent-login/recent-login.ts'
import { registration } from './registration/registration.ts'
import { security } from './security/security.ts'

/** In the order of the menu and of the security page; the exports of a module would come in alphabetical order. */
export const FEATURES = [
  login,
  registration,
  profile,
  security,
  password,
  passwordReset,
  emailVerification,
  notMe,
  logout,
  recentLogin,
  language,
] as const

type All = (typeof FEATURES)[number]

/**
 * For each feature `false`, or new paths by name: one below the membership's `path`, or `{ own: '/sign-in' }`, a page of your application
 * in place of ours. Everything below a path, and its JSON, moves with it.
 */
export type FeatureOptions = {
  readonly [F in All as F['name']]?: false | { readonly [P in keyof F['paths']]?: PathChoice }
}

type Named = { readonly [F in All as `${F['name']}.${Extract<keyof F['paths'], string>}`]: LocalPath }

declare module '../http/paths.ts' {
  interface NamedPaths extends Named {}
}
