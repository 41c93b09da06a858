// Hooks with which the host application may refuse a registration or a login.
import { MembershipError } from './errors.ts'
import type { User } from './user.ts'

export interface Hooks {
  /**
   * Runs before a visitor is registered: the input is checked, nothing is written yet. Not for users whom `membership.users` or the command
   * line creates.
   */
  beforeRegister?(attempt: RegistrationAttempt): void | Promise<void>
  /** Runs before any login, once the proof was found right. A refusal here reveals that it was. */
  beforeSignIn?(attempt: SignInAttempt): void | Promise<void>
}

export interface RegistrationAttempt {
  readonly username: string
  readonly displayName: string | undefined
  readonly ip: string | undefined
  readonly userAgent: string | undefined
}

export interface SignInAttempt {
  readonly user: User
  readonly ip: string | undefined
  readonly userAgent: string | undefined
}

/**
 * Thrown by a hook to refuse. The response is 403 `refused` with the reason, a code of the application's own, and the text for the person.
 *
 * @example
 * hooks: {
 *   beforeRegister({ username }) {
 *     if (username.startsWith('test')) throw new RefusalError('test_name', 'Names that begin with “test” are not for members.')
 *   },
 * }
 */
export class RefusalError extends Error {
  override readonly name = 'RefusalError'
  /** A code of the application's own in snake_case: clients decide by it. */
  readonly reason: string

  constructor(reason: string, text: string) {
    super(text)
    if (!/^[a-z][a-z0-9_]{0,63}$/.test(reason)) throw new TypeError(`RefusalError: reason must be snake_case, got '${reason}'`)
    this.reason = reason
  }
}

/** Calls a hook. A RefusalError becomes `refused`; any other error is a bug of the application and fails this request. */
export async function askHook(ask: () => void | Promise<void>): Promise<void> {
  try {
    await ask()
  } catch (error) {
    if (error instanceof RefusalError) throw new MembershipError('refused', { reason: error.reason, text: error.message })
    throw error
  }
}
