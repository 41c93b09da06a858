// Limits as actions declare them: `perNetwork('language', '120 per 10m')`.
import type { Caller } from '../core/caller.ts'
import type { Core } from '../core/core.ts'
import { type Budget, type Limit, type Outcome, PROOFS_PER_USER, type Rate } from '../core/throttle.ts'
import type { Tries } from '../core/tries.ts'
import { networkOf, wideNetworkOf } from '../domain/address.ts'
import type { Awaitable } from '../domain/awaitable.ts'
import { MembershipError } from '../domain/errors.ts'
import { canonicalUsername } from '../domain/names.ts'
import { isStoreFailure } from './errors.ts'

export interface RouteLimit<Input> extends Limit {
  /** Undefined: this one is not counted. */
  readonly subject: (input: Input, caller: Caller) => string | undefined
}

const JUDGED: readonly Outcome[] = ['success', 'failure']

/** Tries that were judged, however they ended. */
export const judged = (rate: Rate): Budget => ({ rate, counts: JUDGED })

/** What else was refused counts too, or a network could look for ever which accounts are locked. */
const REFUSED: Budget = { rate: '200 per 10m', counts: ['refused'] }

/** What one network does, without more on top of it than others of its limits refused. */
export function perNetwork(name: string, ...budgets: readonly Budget[]): RouteLimit<unknown> {
  return { name: `${name} network`, budgets: [...budgets, REFUSED], subject: (_input, { ip }) => networkOf(ip) }
}

/** What the IPv6 networks do that one customer may have: they are not refused for each other, but wait until others were served. */
function perWideNetwork(name: string, ...budgets: readonly Budget[]): RouteLimit<unknown> {
  return { name: `${name} wide network`, budgets, beyond: 'demote', subject: (_input, { ip }) => wideNetworkOf(ip) }
}

/** Proofs of anybody's identity from one network: logins and confirmations count together. A success does not buy more guesses. */
export const proofsPerNetwork: readonly RouteLimit<unknown>[] = [
  {
    ...perNetwork('login', { rate: '20 per 10m', counts: ['failure'] }, { rate: '1200 per 1h', counts: ['success'] }),
    remembersSuccess: true,
  },
  perWideNetwork('login', { rate: '100 per 10m', counts: ['failure'] }),
]

/** Proofs of the identity of the user who is named. */
export const proofsPerUser: RouteLimit<{ readonly username: string }> = {
  ...PROOFS_PER_USER,
  subject: ({ username }) => canonicalUsername(username),
}

/** Accounts are cheap for a machine and dear for a site; a whole class behind one address mistypes, and is not locked out for it. */
export function registrationsPerNetwork(perHour: number): readonly RouteLimit<unknown>[] {
  const tries = { rate: `${perHour * 10} per 1h`, counts: [...JUDGED, 'refused'] } as const
  return [
    perNetwork('registration', { rate: `${perHour} per 1h`, counts: ['success'] }, tries),
    perWideNetwork('registration', tries),
  ]
}

/** Acts of the person who is logged in. */
export function perMember(name: string, ...budgets: readonly Budget[]): RouteLimit<unknown> {
  return { name: `${name} member`, budgets, subject: (_input, { session }) => session?.userId }
}

interface Tried<Input> {
  readonly core: Pick<Core, 'overload'>
  readonly caller: Caller & { readonly tries: Tries | undefined }
  readonly input: Input
}

/** Takes places, works, and gives them back with what became of the try. */
export async function limited<Input, Result>(
  limits: readonly RouteLimit<Input>[],
  { core, caller, input }: Tried<Input>,
  work: () => Awaitable<Result>,
): Promise<Result> {
  const { ip } = caller
  let result: Result
  try {
    if (limits.length > 0) core.overload.check(ip)
    for (const limit of limits) {
      const subject = limit.subject(input, caller)
      if (subject !== undefined) await caller.count(limit, subject)
    }
    if (caller.tries?.isKnown) core.overload.addLogin(ip)
    result = await work()
  } catch (error) {
    if (error instanceof MembershipError && error.code === 'overloaded') core.overload.addRefusal(ip, caller.priority)
    const released = caller.tries?.release(outcomeOf(error))
    // Whoever waited for a store that is away does not wait for it once more.
    if (!isStoreFailure(error)) await released
    throw error
  }
  if (limits.some(({ remembersSuccess }) => remembersSuccess)) core.overload.addLogin(ip)
  await caller.tries?.release('success')
  return result
}

function outcomeOf(error: unknown): Outcome {
  if (!(error instanceof MembershipError) || error.code === 'overloaded') return 'unjudged'
  // A new password that is too short is no wrong guess of the one that is there.
  return error.code === 'too_many_requests' || error.code === 'invalid_input' ? 'refused' : 'failure'
}
