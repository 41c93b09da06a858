// What happens to members, told after it happened. Listeners cannot stop anything.
import { isNativePromise } from './builtins.ts'
import type { User } from './user.ts'

export const LOGIN_OUTCOMES = ['success', 'wrong_credentials', 'throttled', 'overloaded', 'refused'] as const
/** How a try to log in ended; `refused`: the proof was right, and the hook `beforeSignIn` said no. */
export type LoginOutcome = (typeof LOGIN_OUTCOMES)[number]

export interface MembershipEvents {
  /** A user was made. */
  registered: { readonly user: User }
  /** Somebody tried to log in. `requestId` is what `X-Request-Id` and the error page say. */
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
  /** A cross-site write was refused, or a throttle stopped somebody: an attempt to get round a control. */
  refused: {
    readonly code: 'cross_site_request' | 'too_many_requests'
    readonly path: string
    readonly ip: string | undefined
    readonly requestId: string
  }
}

export type EventName = keyof MembershipEvents
export type Listener<Name extends EventName> = (event: MembershipEvents[Name]) => void

/** Tells listeners one after the other and waits for none. One that throws or rejects spoils neither the others nor the act it was told of. */
export class Events {
  readonly #listeners: { readonly [Name in EventName]: Set<Listener<Name>> } = {
    registered: new Set(),
    login: new Set(),
    logout: new Set(),
    password_changed: new Set(),
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
        const told: unknown = listener(event)
        // An async function fits where nothing is expected back; if nobody looked, its rejection would end the process.
        if (isNativePromise(told)) told.catch((error: unknown) => this.#onError(error, name))
      } catch (error) {
        this.#onError(error, name)
      }
    }
  }
}
