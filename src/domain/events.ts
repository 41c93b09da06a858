// Events about members, emitted afterwards: listeners cannot prevent anything.
import { isNativePromise } from './builtins.ts'
import type { User } from './user.ts'

export const LOGIN_OUTCOMES = ['success', 'wrong_credentials', 'throttled', 'overloaded', 'refused'] as const
/** How a login attempt ended; `refused`: the proof was right, but the hook `beforeSignIn` refused. */
export type LoginOutcome = (typeof LOGIN_OUTCOMES)[number]

export const MAIL_OUTCOMES = ['sent', 'postponed', 'failed'] as const
export type MailOutcome = (typeof MAIL_OUTCOMES)[number]

export interface MembershipEvents {
  /** A user was created. */
  registered: { readonly user: User }
  /** Somebody tried to log in. `requestId` is also in `X-Request-Id` and on the error page. */
  login: {
    readonly outcome: LoginOutcome
    readonly user: User | undefined
    readonly ip: string | undefined
    readonly requestId: string | undefined
  }
  /** Somebody logged out. */
  logout: { readonly user: User }
  /** Somebody changed their password. `ip` and `requestId` are those of the request. */
  password_changed: { readonly user: User; readonly ip: string | undefined; readonly requestId: string | undefined }
  /** A mail was sent, could not be sent for now (`postponed`), or for good. `kind`: `password-changed`. */
  mail: { readonly kind: string; readonly outcome: MailOutcome }
  /** A cross-site write or a throttled try was refused: perhaps an attack. */
  refused: {
    readonly code: 'cross_site_request' | 'too_many_requests'
    readonly path: string
    readonly ip: string | undefined
    readonly requestId: string
  }
}

export type EventName = keyof MembershipEvents
export type Listener<Name extends EventName> = (event: MembershipEvents[Name]) => void

/** Calls listeners in turn and waits for none. One that throws or rejects affects neither the others nor the act itself. */
export class Events {
  readonly #listeners: { readonly [Name in EventName]: Set<Listener<Name>> } = {
    registered: new Set(),
    login: new Set(),
    logout: new Set(),
    password_changed: new Set(),
    mail: new Set(),
    refused: new Set(),
  }
  readonly #onError: (error: unknown, event: EventName) => void

  constructor(onError: (error: unknown, event: EventName) => void) {
    this.#onError = onError
  }

  on<Name extends EventName>(name: Name, listener: Listener<Name>): void {
    this.#listeners[name].add(listener)
  }

  emit<Name extends EventName>(name: Name, event: MembershipEvents[Name]): void {
    for (const listener of this.#listeners[name]) {
      try {
        const result: unknown = listener(event)
        // A listener may be an async function; an unhandled rejection would end the process.
        if (isNativePromise(result)) result.catch((error: unknown) => this.#onError(error, name))
      } catch (error) {
        this.#onError(error, name)
      }
    }
  }
}
