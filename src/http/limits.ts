// Limits as actions declare them, `perNetwork('login', '20 per 10m')`, and how they are kept.
import type { Caller, Core } from '../core/core.ts'
import type { Count, Counted, Rate } from '../core/throttle.ts'
import { networkOf } from '../domain/address.ts'
import type { Awaitable } from '../domain/awaitable.ts'
import { MembershipError } from '../domain/errors.ts'
import { canonicalUsername } from '../domain/user.ts'
import { isStoreFailure } from './errors.ts'
import type { RequestContext } from './request-context.ts'

export interface Limit<Input> {
  readonly name: string
  readonly rate: Rate
  readonly subject: (input: Input, caller: Caller) => string
  /** What a success does to the count: a login that worked was no guess. */
  readonly onSuccess: 'keep' | 'refund' | 'clear'
}

/** Tries from one network. A success takes its own try back and leaves the others: logging in once does not buy more guesses. */
export function perNetwork(name: string, rate: Rate, onSuccess: 'refund' | 'keep' = 'refund'): Limit<unknown> {
  return { name: `${name} network`, rate, subject: (_input, caller) => networkOf(caller.ip), onSuccess }
}

/** Tries on one account, whoever makes them, by its canonical name. A success clears the count. */
export function perAccount(
  name: string,
  rate: Rate,
  onSuccess: 'clear' | 'keep' = 'clear',
): Limit<{ readonly username: string }> {
  return { name: `${name} account`, rate, subject: ({ username }) => canonicalUsername(username), onSuccess }
}

/** Acts of the person who is logged in. */
export function perMember(name: string, rate: Rate): Limit<unknown> {
  return { name: `${name} member`, rate, subject: (_input, caller) => caller.session?.userId ?? '', onSuccess: 'keep' }
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

/** Counts, works, and takes back what was no guess: a success, or a try that nobody judged, as the server was too busy or its store away. */
export async function limited<Input, Result>(
  limits: readonly Limit<Input>[],
  { core, caller, req }: RequestContext,
  input: Input,
  work: () => Awaitable<Result>,
): Promise<Result> {
  const countOf = ({ name, rate, subject }: Limit<Input>): Count => ({ name, rate, subject: subject(input, caller) })
  let counted: readonly Counted[]
  try {
    counted = await core.throttle.count(limits.map(countOf))
  } catch (error) {
    if (error instanceof MembershipError)
      core.events.emit('refused', { code: 'too_many_requests', path: req.path, ip: caller.ip })
    throw error
  }
  const of = (kind: 'refund' | 'clear') => counted.filter((_, at) => limits[at]?.onSuccess === kind)
  const { throttle } = core
  let result: Result
  try {
    result = await work()
  } catch (error) {
    const isOverloaded = error instanceof MembershipError && error.code === 'overloaded'
    const takeBack = () => giveBack(core, () => throttle.refund(counted))
    if (isOverloaded) await takeBack()
    // Whoever waited for a store that is away does not wait for it once more.
    if (isStoreFailure(error)) void takeBack()
    throw error
  }
  await Promise.all([giveBack(core, () => throttle.refund(of('refund'))), giveBack(core, () => throttle.clear(of('clear')))])
  return result
}

/** What was done stays done: a count that stays is no reason to say that nothing was changed. */
async function giveBack(core: Core, work: () => Promise<void>): Promise<void> {
  try {
    await work()
  } catch (error) {
    core.log.warn({ err: error }, 'a counted try could not be taken back')
  }
}
