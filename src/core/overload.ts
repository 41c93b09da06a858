// Remembers which networks meet a server that is too busy: while it is, their next tries cost no disk.
import { BoundedCache } from '../domain/bounded-cache.ts'
import type { Clock } from '../domain/clock.ts'
import { MembershipError } from '../domain/errors.ts'
import type { PasswordHasher } from '../passwords/hasher.ts'
import type { Priority } from '../passwords/pool.ts'
import type { Throttle } from './throttle.ts'

/** So many from one network are looked at in a window; they may find room again. */
const MAX_MET = 10
const WINDOW_MS = 10_000
const MAX_NETWORKS = 10_000

interface Met {
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
  readonly #met = new BoundedCache<Met>(MAX_NETWORKS)

  constructor(watched: Watched) {
    this.#watched = watched
  }

  /** Throws `overloaded` where that is what a try from there would end with. */
  check(network: string): void {
    const met = this.#find(network)
    if (met === undefined || met.count < MAX_MET) return
    const { passwords, throttle } = this.#watched
    if (passwords.isFull(met.priority) || throttle.isFull()) throw new MembershipError('overloaded', { retryAfter: 1 })
  }

  /** A try from there found no room. */
  note(network: string, priority: Priority): void {
    const met = this.#find(network)
    if (met) met.count++
    else this.#met.set(network, { windowEnd: this.#watched.clock.now() + WINDOW_MS, priority, count: 1 })
  }

  #find(network: string): Met | undefined {
    const met = this.#met.get(network)
    const left = (met?.windowEnd ?? 0) - this.#watched.clock.now()
    return left > 0 && left <= WINDOW_MS ? met : undefined
  }
}
