// What each page needs to know. The types here are the contract between the features and the views.
import type { Translate } from '../i18n/translate.ts'

/** Every page gets these. */
export interface PageData {
  readonly t: Translate
  /** For `<html lang>`. */
  readonly lang: string
  /** Where this page is, so that it can be shown again in another language. */
  readonly path?: string | undefined
  /** Who is logged in. */
  readonly user?: { readonly username: string; readonly displayName?: string | undefined } | undefined
  /** Which page of the navigation this is. */
  readonly current?: 'profile' | 'security' | undefined
  /** A sentence at the top: what has just been done. */
  readonly notice?: string | undefined
  /** A form that came back. */
  readonly form?: FormState | undefined
  /** Whether the page offers to create an account. Default: true. */
  readonly registrationOpen?: boolean | undefined
}

export interface FormState {
  /** What the person had entered. A password in here is not shown. */
  readonly values: Readonly<Record<string, string>>
  readonly errors: readonly { readonly field: string; readonly message: string }[]
  /** What is wrong with the form as a whole. */
  readonly message?: string | undefined
}

interface SessionCard {
  readonly id: string
  readonly current: boolean
  /** Already in words: `Firefox on Linux`. */
  readonly device: string
  readonly ip?: string | undefined
  readonly lastSeenAt: number
  readonly createdAt: number
  readonly expiresAt: number
  readonly remembered: boolean
}

export interface Pages {
  home: Record<never, never>
  login: { readonly returnTo?: string | undefined; readonly registrationOpen: boolean; readonly rememberDays: number }
  register: { readonly minLength: number; readonly returnTo?: string | undefined }
  profile: {
    readonly profile: {
      readonly username: string
      readonly displayName: string
      readonly createdAt: number
      readonly roles: readonly string[]
    }
  }
  logout: Record<never, never>
  security: {
    readonly sessions: readonly SessionCard[]
    readonly activity: readonly { readonly at: number; readonly text: string }[]
    /** Undefined: the person has none. */
    readonly password?: { readonly changedAt: number } | undefined
    readonly now: number
  }
  reauthenticate: { readonly returnTo?: string | undefined }
  error: {
    readonly title: string
    readonly detail: string
    readonly status: number
    readonly requestId: string
    readonly backTo?: { readonly href: string; readonly text: string } | undefined
  }
  /** Loads itself once more. The second request is same-site and carries the Strict cookie. */
  'same-site-reload': Record<never, never>
}

export type ViewName = keyof Pages
