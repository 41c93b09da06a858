// What every page needs to know, and the pages that belong to no feature.
import type { UserJson } from '../domain/user.ts'
import type { Translate } from '../i18n/translate.ts'

/** Every page gets these. */
export interface PageData {
  readonly t: Translate<string>
  /** For `<html lang>`. */
  readonly lang: string
  /** Where this page is, so that it can be shown again in another language. */
  readonly path?: string | undefined
  /** Who is logged in, as JSON tells it: never the stored row. */
  readonly user?: Pick<UserJson, 'username' | 'displayName' | 'roles' | 'createdAt'> | undefined
  readonly menu: readonly MenuItem[]
  /** HTML that features put into the header. */
  readonly header: readonly string[]
  /** A sentence at the top: what has just been done. */
  readonly notice?: string | undefined
  /** A form that came back. */
  readonly form?: FormState | undefined
}

export interface MenuItem {
  readonly href: string
  readonly text: string
  readonly isCurrent: boolean
  /** Acts when it is pressed: a form, not a link. */
  readonly isButton: boolean
}

export interface FormState {
  /** What the person had entered, secrets left out. */
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
    /** The page of the application's that the form stands on. */
    readonly backTo?: string | undefined
  }
}
