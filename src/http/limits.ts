// The limits that actions declare: `perNetwork('language', judged('120 per 10m'))`.
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
  /** Undefined: the try is not counted. */
  readonly subject: (input: Input, caller: Caller) => string | undefined
}

const JUDGED: readonly Outcome[] = ['success', 'failure']

/** A budget of all tries that ran, successful or not. */
export const judged = (rate: Rate): Budget => ({ rate, counts: JUDGED })

/** Refused tries count too, or a network could probe for ever which users are locked. */
const REFUSED: Budget = { rate: '200 per 10m', counts: ['refused'] }

/** Tries of one network, with a budget for those that its other limits refused. */
export function perNetwork(name: string, ...budgets: readonly Budget[]): RouteLimit<unknown> {
  return { name: `${name} network`, budgets: [...budgets, REFUSED], subject: (_input, { ip }) => networkOf(ip) }
}

/** Tries of an IPv6 /48, which one customer may have. Beyond the limit they are not refused, but wait until others are served. */
function perWideNetwork(name: string, ...budgets: readonly Budget[]): RouteLimit<unknown> {
  return { name: `${name} wide network`, budgets, beyond: 'demote', subject: (_input, { ip }) => wideNetworkOf(ip) }
}

/** Proofs of identity from one network: logins and confirmations count together. A success does not reset the failures. */
export const proofsPerNetwork: readonly RouteLimit<unknown>[] = [
  {
    ...perNetwork('login', { rate: '20 per 10m', counts: ['failure'] }, { rate: '1200 per 1h', counts: ['success'] }),
    remembersSuccess: true,
  },
  perWideNetwork('login', { rate: '100 per 10m', counts: ['failure'] }),
]

/** Proofs of identity of the user named in the input. */
export const proofsPerUser: RouteLimit<{ readonly username: string }> = {
  ...PROOFS_PER_USER,
  subject: ({ username }) => canonicalUsername(username),
}

/** Machines must not create users in bulk; but a whole class behind one address may mistype without being locked out. */
export function registrationsPerNetwork(perHour: number): readonly RouteLimit<unknown>[] {
  const tries = { rate: `${perHour * 10} per 1h`, counts: [...JUDGED, 'refused'] } as const
  return [
    perNetwork('registration', { rate: `${perHour} per 1h`, counts: ['success'] }, tries),
    perWideNetwork('registration', tries),
  ]
}

/** Acts of the user who is logged in. */
export function perMember(name: string, ...budgets: readonly Budget[]): RouteLimit<unknown> {
  return { name: `${name} member`, budgets, subject: (_input, { session }) => session?.userId }
}

interface LimitedCall<Input> {
  readonly core: Pick<Core, 'overload'>
  readonly caller: Caller & { readonly tries: Tries | undefined }
  readonly input: Input
}

/** Takes a slot of each limit, does the work, and releases the slots with its outcome. */
export async function limited<Input, Result>(
  limits: readonly RouteLimit<Input>[],
  { core, caller, input }: LimitedCall<Input>,
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
    // If the store is away, the caller has already waited for it once.
    if (!isStoreFailure(error)) await released
    throw error
  }
  if (limits.some(({ remembersSuccess }) => remembersSuccess)) core.overload.addLogin(ip)
  await caller.tries?.release('success')
  return result
}

function outcomeOf(error: unknown): Outcome {
  if (!(error instanceof MembershipError) || error.code === 'overloaded') return 'unjudged'
  // A new password that is too short is not a wrong guess of the current one.
  return error.code === 'too_many_requests' || error.code === 'invalid_input' ? 'refused' : 'failure'
}
