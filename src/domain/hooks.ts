// The host application looks at an attempt before something happens, and may refuse it.
import { MembershipError } from './errors.ts'
import type { User } from './user.ts'

export interface Hooks {
  /** Before a visitor becomes a user; the input is checked by then, nothing is written. The command line does not ask it. */
  beforeRegister?(attempt: RegistrationAttempt): void | Promise<void>
  /** Before any login, whatever proved it: the proof was right by then. A refusal here tells the person that it was. */
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
 * Thrown by a hook to refuse. The answer is 403 `refused` with the reason as a code of the host's own and the text for the person.
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
  /** snake_case, the host's own: clients decide by it. */
  readonly reason: string

  constructor(reason: string, text: string) {
    super(text)
    if (!/^[a-z][a-z0-9_]{0,63}$/.test(reason)) throw new TypeError(`RefusalError: reason must be snake_case, got '${reason}'`)
    this.reason = reason
  }
}

/** Asks a hook. A refusal becomes `refused`; any other error is a bug of the host's and ends this one request. */
export async function askHook(ask: () => void | Promise<void>): Promise<void> {
  try {
    await ask()
  } catch (error) {
    if (error instanceof RefusalError) throw new MembershipError('refused', { reason: error.reason, text: error.message })
    throw error
  }
}
