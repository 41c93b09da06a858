// The data of every page, and the pages that belong to no feature.
import type { UserJson } from '../domain/user.ts'
import type { Translate } from '../i18n/translate.ts'

/** The data of every page. */
export interface PageData {
  readonly t: Translate<string>
  /** For `<html lang>`. */
  readonly lang: string
  /** The path of this page, so that it can be shown again in another language. */
  readonly path?: string | undefined
  /** The user who is logged in, as in JSON: never the stored row. */
  readonly user?: Pick<UserJson, 'username' | 'displayName' | 'roles' | 'createdAt'> | undefined
  readonly menu: readonly MenuItem[]
  /** HTML of the parts of features in the header. */
  readonly header: readonly string[]
  /** A sentence at the top about what has just been done. */
  readonly notice?: string | undefined
  /** A form after a refusal. */
  readonly form?: FormState | undefined
}

export interface MenuItem {
  readonly href: string
  readonly text: string
  readonly isCurrent: boolean
  /** A form, not a link. */
  readonly isButton: boolean
}

export interface FormState {
  /** The values that the person entered, without secrets. */
  readonly values: Readonly<Record<string, string>>
  readonly errors: readonly { readonly field: string; readonly message: string }[]
  /** What is wrong with the form as a whole. */
  readonly message?: string | undefined
}

export interface BasePages {
  home: { readonly registrationOpen: boolean }
  error: {
    readonly title: string
    readonly detail: string
    readonly status: number
    readonly requestId: string
    /** The application's page with the form. */
    readonly backTo?: string | undefined
  }
}
