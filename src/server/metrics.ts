// Counts requests, logins and more, and writes them in the Prometheus format.
import type { Registry } from 'prom-client'
import type { Core } from '../core/core.ts'
import { LOGIN_OUTCOMES } from '../domain/events.ts'
import { countMails } from './mail-metrics.ts'
import { type Family, histogram, type Labels, single, writeMetrics } from './metrics-text.ts'

export interface Metrics {
  /** One finished request. `path` without its query. */
  observe(method: string, path: string, status: number, ms: number): void
  /** A connection was closed unread: there were too many. */
  connectionDropped(): void
  /** The Prometheus text format, with these labels on each number. */
  text(labels?: Labels): Promise<string>
}

/** Upper bounds in milliseconds. A session read takes under one, a password hash dozens. */
const BUCKETS_MS = [1, 2.5, 5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10_000]
const METHODS = ['GET', 'HEAD', 'POST']

interface Series {
  readonly labels: Labels
  /** By bucket; the last counts all above. */
  readonly counts: number[]
  sumMs: number
}

/** `paths`: the known routes, such as `/login`. All others count as `other`: visitors must not create series. */
export function createMetrics(core: Core, paths: readonly string[]): Metrics {
  const routeOf = routeFinder(paths)
  const durations = new Map<string, Series>()
  const events = countEvents(core)
  const mails = countMails(core)
  let dropped = 0
  return {
    connectionDropped() {
      dropped++
    },
    observe(method, path, status, ms) {
      const labels = {
        method: METHODS.includes(method) ? method : 'other',
        route: routeOf(path),
        status: `${Math.floor(status / 100)}xx`,
      }
      const key = `${labels.method} ${labels.status} ${labels.route}`
      const series = durations.get(key) ?? { labels, counts: [...BUCKETS_MS, 0].fill(0), sumMs: 0 }
      durations.set(key, series)
      const found = BUCKETS_MS.findIndex((bound) => ms <= bound)
      const bucket = found < 0 ? BUCKETS_MS.length : found
      series.counts[bucket] = (series.counts[bucket] ?? 0) + 1
      series.sumMs += ms
    },
    async text(labels = {}) {
      const connections = counter('guildhall_connections_dropped_total', 'Connections closed unread', single(dropped))
      const families = [...events(), ...hashing(core), ...(await mails()), connections, durationFamily(durations.values())]
      return writeMetrics(families, labels) + (await processMetrics(labels))
    },
  }
}

function routeFinder(paths: readonly string[]): (path: string) => string {
  const exact = new Set(paths)
  const patterns = paths
    .filter((route) => route.includes('/:'))
    .map((route) => ({ route, pattern: new RegExp(`^${route.replace(/\/:\w+/g, '/[^/]+')}$`) }))
  return (path) => (exact.has(path) ? path : (patterns.find(({ pattern }) => pattern.test(path))?.route ?? 'other'))
}

function durationFamily(series: Iterable<Series>): Family {
  const bounds = BUCKETS_MS.map((ms) => ms / 1000)
  const samples = [...series].flatMap(({ labels, counts, sumMs }) => histogram(labels, bounds, counts, sumMs / 1000))
  const help = 'How long requests took, by route and status class'
  return { name: 'guildhall_http_request_duration_seconds', help, type: 'histogram', samples }
}

function countEvents({ events }: Core): () => readonly Family[] {
  const logins = new Map<string, number>(LOGIN_OUTCOMES.map((outcome) => [outcome, 0]))
  const refusals = new Map([
    ['cross_site_request', 0],
    ['too_many_requests', 0],
  ])
  let registrations = 0
  let logouts = 0
  const count = (map: Map<string, number>, key: string) => map.set(key, (map.get(key) ?? 0) + 1)
  events.on('login', ({ outcome }) => count(logins, outcome))
  events.on('refused', ({ code }) => count(refusals, code))
  events.on('registered', () => registrations++)
  events.on('logout', () => logouts++)
  const by = (label: string, map: Map<string, number>) => [...map].flatMap(([value, n]) => single(n, { [label]: value }))
  return () => [
    counter('guildhall_logins_total', 'Tries to log in, by outcome', by('outcome', logins)),
    counter('guildhall_registrations_total', 'Accounts made', single(registrations)),
    counter('guildhall_logouts_total', 'Logouts', single(logouts)),
    counter('guildhall_refusals_total', 'Cross-site writes and throttled tries', by('code', refusals)),
  ]
}

function hashing({ passwords: { stats } }: Core): readonly Family[] {
  const gauge = (name: string, help: string, value: number): Family => ({ name, help, type: 'gauge', samples: single(value) })
  return [
    counter('guildhall_password_hashes_total', 'Password hashes computed', single(stats.done)),
    gauge('guildhall_password_hashes_running', 'Password hashes at work', stats.running),
    gauge('guildhall_password_hashes_waiting', 'Password hashes in the queue', stats.waiting),
    gauge('guildhall_password_hashes_limit', 'Password hashes that may wait', stats.limit),
  ]
}

function counter(name: string, help: string, samples: Family['samples']): Family {
  return { name, help, type: 'counter', samples }
}

let registry: Promise<Registry> | undefined

/** Memory, processor and event loop: prom-client's, loaded at first use, in a registry of its own. */
async function processMetrics(labels: Labels): Promise<string> {
  registry ??= import('prom-client').then(({ Registry, collectDefaultMetrics }) => {
    const own = new Registry()
    collectDefaultMetrics({ register: own })
    return own
  })
  const own = await registry
  own.setDefaultLabels(labels)
  return own.metrics()
}
