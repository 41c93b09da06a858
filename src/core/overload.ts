// Keeps tries of networks that meet a full queue off the disk for as long as it is full.
import { networkOf, wideNetworkOf } from '../domain/address.ts'
import { BoundedCache } from '../domain/bounded-cache.ts'
import type { Clock } from '../domain/clock.ts'
import { MembershipError } from '../domain/errors.ts'
import type { PasswordHasher } from '../passwords/hasher.ts'
import type { Priority } from '../passwords/pool.ts'
import type { Throttle } from './throttle.ts'

/** So many tries from one network are looked at in a window, as there may be room again. */
const MAX_LOOKED_AT = 10
const WINDOW_MS = 10_000
const MAX_NETWORKS = 10_000

interface Refused {
  readonly windowEnd: number
  readonly priority: Priority
  count: number
}

interface Watched {
  readonly clock: Clock
  readonly passwords: Pick<PasswordHasher, 'isFull'>
  readonly throttle: Pick<Throttle, 'isFull'>
}

export class OverloadGuard {
  readonly #watched: Watched
  readonly #refused = new BoundedCache<Refused>(MAX_NETWORKS)
  /** Networks that this process saw log in, or found to have done so lately. */
  readonly #known = new BoundedCache<true>(MAX_NETWORKS)

  constructor(watched: Watched) {
    this.#watched = watched
  }

  /** Throws `overloaded` where that is what a try from there would end with. */
  check(ip: string | undefined): void {
    const refused = this.#find(this.#subject(ip))
    if (refused === undefined || refused.count < MAX_LOOKED_AT) return
    const { passwords, throttle } = this.#watched
    if (passwords.isFull(refused.priority) || throttle.isFull()) throw new MembershipError('overloaded', { retryAfter: 1 })
  }

  /** A try from there found no room. */
  note(ip: string | undefined, priority: Priority): void {
    const subject = this.#subject(ip)
    const refused = this.#find(subject)
    if (refused) refused.count++
    else this.#refused.set(subject, { windowEnd: this.#watched.clock.now() + WINDOW_MS, priority, count: 1 })
  }

  /** Somebody logged in from there lately. */
  welcome(ip: string | undefined): void {
    this.#known.set(networkOf(ip), true)
  }

  /** Whoever has a /48 comes from ever new networks of it; a home in it that has logged in lately answers for itself alone. */
  #subject(ip: string | undefined): string {
    const network = networkOf(ip)
    return this.#known.get(network) ? network : (wideNetworkOf(ip) ?? network)
  }

  #find(subject: string): Refused | undefined {
    const refused = this.#refused.get(subject)
    const left = (refused?.windowEnd ?? 0) - this.#watched.clock.now()
    return left > 0 && left <= WINDOW_MS ? refused : undefined
  }
}
