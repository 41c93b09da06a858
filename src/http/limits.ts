// Limits as actions declare them: `perNetwork('login', '20 per 10m')`.
import type { Caller } from '../core/caller.ts'
import { type Limit, PROOFS_PER_USER, type Rate, type Tries } from '../core/throttle.ts'
import { networkOf } from '../domain/address.ts'
import type { Awaitable } from '../domain/awaitable.ts'
import { MembershipError } from '../domain/errors.ts'
import { canonicalUsername } from '../domain/names.ts'
import { isStoreFailure } from './errors.ts'

export interface RouteLimit<Input> extends Limit {
  readonly subject: (input: Input, caller: Caller) => string
}

/** Tries from one network. A success refunds its own try and leaves the others: logging in once does not buy more guesses. */
export function perNetwork(name: string, rate: Rate, onSuccess: 'refund' | 'keep' = 'refund'): RouteLimit<unknown> {
  return { name: `${name} network`, rate, subject: (_input, caller) => networkOf(caller.ip), onSuccess }
}

interface Named {
  readonly username: string
}

/** Acts on one user, whoever makes them, by the canonical username. */
export function perAccount(name: string, rate: Rate): RouteLimit<Named> {
  return { name: `${name} account`, rate, subject: nameIn, onSuccess: 'keep' }
}

/** Proofs of the identity of the user who is named. */
export const proofsPerUser: readonly RouteLimit<Named>[] = PROOFS_PER_USER.map((limit) => ({ ...limit, subject: nameIn }))

function nameIn({ username }: Named): string {
  return canonicalUsername(username)
}

/** Acts of the person who is logged in. */
export function perMember(name: string, rate: Rate): RouteLimit<unknown> {
  return { name: `${name} member`, rate, subject: (_input, caller) => caller.session?.userId ?? '', onSuccess: 'keep' }
}

/** Counts, works, and refunds what was no guess: a success, or a try that nobody judged, as the server was too busy, its store away, or a hook broke. */
export async function limited<Input, Result>(
  limits: readonly RouteLimit<Input>[],
  caller: Caller & { readonly tries: Tries | undefined },
  input: Input,
  work: () => Awaitable<Result>,
): Promise<Result> {
  let result: Result
  try {
    for (const limit of limits) await caller.count(limit, limit.subject(input, caller))
    result = await work()
  } catch (error) {
    const isJudged = error instanceof MembershipError && error.code !== 'overloaded'
    // Whoever waited for a store that is away does not wait for it once more.
    if (isStoreFailure(error)) void caller.tries?.refundAll()
    else if (!isJudged) await caller.tries?.refundAll()
    throw error
  }
  await caller.tries?.succeeded()
  return result
}
