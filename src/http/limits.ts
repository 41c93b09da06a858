// Limits as actions declare them: `perNetwork('login', '20 per 10m')`.
import { networkOf, type Rate } from '../core/throttle.ts'
import { canonicalUsername } from '../domain/user.ts'
import type { Limit } from './action.ts'

/** Tries from one network. A success takes its own try back and leaves the others: logging in once does not buy more guesses. */
export function perNetwork(name: string, rate: Rate, onSuccess: 'refund' | 'keep' = 'refund'): Limit<unknown> {
  return { name: `${name} network`, rate, subject: (_input, caller) => networkOf(caller.ip), onSuccess }
}

/** Tries on one account, whoever makes them, by its canonical name. A success clears the count. */
export function perAccount(name: string, rate: Rate): Limit<{ readonly username: string }> {
  return { name: `${name} account`, rate, subject: ({ username }) => canonicalUsername(username), onSuccess: 'clear' }
}

/** Tries of the person who is logged in, on the same counters as tries to log in to their account. */
export function perOwnAccount(name: string, rate: Rate): Limit<unknown> {
  return {
    name: `${name} account`,
    rate,
    subject: (_input, caller) => canonicalUsername(caller.session?.user?.username ?? ''),
    onSuccess: 'clear',
  }
}
