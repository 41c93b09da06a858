// Refuses networks that keep meeting a full queue, before their tries cost a disk write.
import { networkOf, wideNetworkOf } from '../domain/address.ts'
import { BoundedCache } from '../domain/bounded-cache.ts'
import type { Clock } from '../domain/clock.ts'
import { MembershipError } from '../domain/errors.ts'
import type { PasswordHasher } from '../passwords/hasher.ts'
import type { Priority } from '../passwords/pool.ts'
import type { Throttle } from './throttle.ts'

/** So many refusals of a network in one window still reach the queue, as it may have room again. */
const MAX_REFUSALS = 10
const WINDOW_MS = 10_000
const MAX_NETWORKS = 10_000

interface Refused {
  readonly windowEnd: number
  readonly priority: Priority
  count: number
}

interface LoadSources {
  readonly clock: Clock
  readonly passwords: Pick<PasswordHasher, 'isFull'>
  readonly throttle: Pick<Throttle, 'isFull'>
}

export class OverloadGuard {
  readonly #sources: LoadSources
  readonly #refused = new BoundedCache<Refused>(MAX_NETWORKS)
  /** Networks with a recent login, as far as this process knows. */
  readonly #known = new BoundedCache<true>(MAX_NETWORKS)

  constructor(sources: LoadSources) {
    this.#sources = sources
  }

  /** Throws `overloaded` if a try from there would end with it anyway. */
  check(ip: string | undefined): void {
    const refused = this.#find(this.#subject(ip))
    if (refused === undefined || refused.count < MAX_REFUSALS) return
    const { passwords, throttle } = this.#sources
    if (passwords.isFull(refused.priority) || throttle.isFull()) throw new MembershipError('overloaded', { retryAfter: 1 })
  }

  /** Records that a try from there was refused as `overloaded`. */
  addRefusal(ip: string | undefined, priority: Priority): void {
    const subject = this.#subject(ip)
    const refused = this.#find(subject)
    if (refused) refused.count++
    else this.#refused.set(subject, { windowEnd: this.#sources.clock.now() + WINDOW_MS, priority, count: 1 })
  }

  /** Records that somebody logged in from there lately. */
  addLogin(ip: string | undefined): void {
    this.#known.set(networkOf(ip), true)
  }

  /** An attacker with a /48 can use ever new networks of it, so it counts as one; a network in it with a recent login counts alone. */
  #subject(ip: string | undefined): string {
    const network = networkOf(ip)
    return this.#known.get(network) ? network : (wideNetworkOf(ip) ?? network)
  }

  #find(subject: string): Refused | undefined {
    const refused = this.#refused.get(subject)
    const remaining = (refused?.windowEnd ?? 0) - this.#sources.clock.now()
    return remaining > 0 && remaining <= WINDOW_MS ? refused : undefined
  }
}
