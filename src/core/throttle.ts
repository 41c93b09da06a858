// Limits how often something may be tried: per network, per account. Counted before the work, atomically, in the database.
import { isIPv6 } from 'node:net'
import type { Clock } from '../domain/clock.ts'
import { parseDuration } from '../domain/duration.ts'
import { MembershipError } from '../domain/errors.ts'
import { keyedDigest } from '../domain/secret.ts'
import type { Database } from '../storage/contract.ts'
import { clearCounter, consume, findCounter, refund } from '../storage/counters.ts'

/** So many tries in so much time: `'5 per 5m'`. */
export type Rate = `${number} per ${string}`

/** One counter: what is counted, and up to where. */
export interface Count {
  /** What is counted: `login network`. */
  readonly name: string
  /** Whose tries: a network, a canonical username. */
  readonly subject: string
  readonly rate: Rate
}

export interface Throttle {
  /** Counts a try in every counter; throws `too_many_requests` with the seconds to wait where one is full. Nothing more is counted then. */
  count(counts: readonly Count[]): Promise<void>
  /** Takes a counted try back. */
  refund(counts: readonly Count[]): Promise<void>
  /** Begins anew. */
  clear(counts: readonly Count[]): Promise<void>
}

export const unlimited: Throttle = {
  count: async () => {},
  refund: async () => {},
  clear: async () => {},
}

/** Counters hold keyed digests: the table tells nobody who tried to log in from where. */
export function createThrottle(db: Database, clock: Clock, key: Uint8Array): Throttle {
  const keyOf = ({ name, subject, rate }: Count) => keyedDigest(key, `${name}\0${rate}\0${subject}`)
  return {
    async count(counts) {
      for (const count of counts) {
        const { limit, windowMs } = parseRate(count.rate)
        const now = clock.now()
        const counted = await db.write(consume, { key: keyOf(count), now, windowEnd: now + windowMs, limit })
        if (counted.length > 0) continue
        const counter = await db.first(findCounter, { key: keyOf(count) })
        const waitMs = counter === undefined ? 1000 : counter.expires_at - now
        throw new MembershipError('too_many_requests', { retryAfter: Math.max(1, Math.ceil(waitMs / 1000)) })
      }
    },
    async refund(counts) {
      for (const count of counts) await db.write(refund, { key: keyOf(count) })
    },
    async clear(counts) {
      for (const count of counts) await db.write(clearCounter, { key: keyOf(count) })
    },
  }
}

/** The limit and window of a rate; throws a TypeError where the text is none. */
export function parseRate(rate: Rate): { readonly limit: number; readonly windowMs: number } {
  const known = rates.get(rate)
  if (known) return known
  const match = /^([1-9]\d{0,6}) per (\S+)$/.exec(rate)
  const windowMs = parseDuration(match?.[2] ?? '')
  if (!match || windowMs === undefined) throw new TypeError(`a rate reads '5 per 10m', got '${rate}'`)
  const parsed = { limit: Number(match[1]), windowMs }
  rates.set(rate, parsed)
  return parsed
}

const rates = new Map<Rate, { limit: number; windowMs: number }>()

/**
 * The network behind an address: IPv4 as it is, IPv4-mapped IPv6 as IPv4, IPv6 by its /64, in one spelling.
 * A home has a whole /64: counting single addresses would give an attacker 2^64 tries.
 */
export function networkOf(ip: string | undefined): string {
  if (ip === undefined) return 'unknown'
  const address = ip.replace(/%.*$/, '')
  if (!isIPv6(address)) return address
  const groups = ipv6Groups(address)
  const mapped = groups[5] === 0xffff && groups.slice(0, 5).every((group) => group === 0)
  if (mapped)
    return groups
      .slice(6)
      .flatMap((group) => [group >> 8, group & 255])
      .join('.')
  return `${groups
    .slice(0, 4)
    .map((group) => group.toString(16))
    .join(':')}::/64`
}

/** The eight groups of an IPv6 address; the URL parser knows every spelling (RFC 5952). */
function ipv6Groups(address: string): number[] {
  const compressed = new URL(`http://[${address}]/`).hostname.slice(1, -1)
  const [head = '', tail] = compressed.split('::')
  const left = head === '' ? [] : head.split(':')
  const right = tail === undefined || tail === '' ? [] : tail.split(':')
  const zeros = Array.from({ length: 8 - left.length - right.length }, () => '0')
  return [...left, ...zeros, ...right].map((group) => Number.parseInt(group, 16))
}
