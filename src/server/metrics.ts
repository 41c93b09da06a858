// Counts what the server does. Plain numbers, which cost next to nothing per request; they become text when somebody asks.
import type { Registry } from 'prom-client'
import type { Core } from '../core/core.ts'
import { LOGIN_OUTCOMES } from '../domain/events.ts'
import { type Family, histogram, type Labels, single, writeMetrics } from './metrics-text.ts'

export interface Metrics {
  /** One finished request. `path` without its query. */
  observe(method: string, path: string, status: number, ms: number): void
  /** The Prometheus text format; each number with these labels beside its own. */
  text(labels?: Labels): Promise<string>
}

/** Upper bounds in milliseconds. A session read takes under one, a password hash dozens. */
const BUCKETS_MS = [1, 2.5, 5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10_000] as const

const METHODS: readonly string[] = ['GET', 'HEAD', 'POST']
const STATUS_CLASSES: readonly string[] = ['1xx', '2xx', '3xx', '4xx', '5xx']

interface Series {
  readonly method: string
  readonly route: string
  readonly status: string
  readonly counts: number[]
  sumMs: number
}

interface Route {
  readonly label: string
  readonly series: Series[]
}

/** `paths`: the known routes, `/login`, `/account/sessions/:id/end`. All others count as `other`, so that visitors cannot make series. */
export function createMetrics(core: Core, paths: readonly string[]): Metrics {
  const routes = routeTable(paths)
  const events = countEvents(core)
  return {
    observe(method, path, status, ms) {
      const series = seriesOf(routes.find(path), method, status)
      let bucket = 0
      while (bucket < BUCKETS_MS.length && ms > (BUCKETS_MS[bucket] ?? 0)) bucket++
      series.counts[bucket] = (series.counts[bucket] ?? 0) + 1
      series.sumMs += ms
    },
    async text(labels = {}) {
      const ours = writeMetrics([...events(), ...hashing(core), durations(routes.all)], labels)
      return ours + (await processMetrics(labels))
    },
  }
}

function routeTable(paths: readonly string[]): { find(path: string): Route; readonly all: readonly Route[] } {
  const other: Route = { label: 'other', series: [] }
  const fixed = new Map<string, Route>()
  const patterns: { readonly pattern: RegExp; readonly route: Route }[] = []
  for (const label of new Set(paths)) {
    const route: Route = { label, series: [] }
    fixed.set(label, route)
    if (label.includes('/:')) patterns.push({ pattern: new RegExp(`^${label.replace(/\/:\w+/g, '/[^/]+')}$`), route })
  }
  return {
    find: (path) => fixed.get(path) ?? patterns.find(({ pattern }) => pattern.test(path))?.route ?? other,
    all: [...fixed.values(), other],
  }
}

function seriesOf({ label, series }: Route, method: string, status: number): Series {
  const known = METHODS.indexOf(method)
  const at = (known < 0 ? METHODS.length : known) * STATUS_CLASSES.length + Math.min(Math.max(Math.floor(status / 100), 1), 5) - 1
  const found = series[at]
  if (found) return found
  const fresh: Series = {
    method: METHODS[known] ?? 'other',
    route: label,
    status: STATUS_CLASSES[at % STATUS_CLASSES.length] ?? '5xx',
    counts: Array.from({ length: BUCKETS_MS.length + 1 }, () => 0),
    sumMs: 0,
  }
  series[at] = fresh
  return fresh
}

function durations(routes: readonly Route[]): Family {
  const bounds = BUCKETS_MS.map((ms) => ms / 1000)
  const samples = routes.flatMap(({ series }) =>
    series.map(({ method, route, status, counts, sumMs }) => histogram({ method, route, status }, bounds, counts, sumMs / 1000)),
  )
  return {
    name: 'guildhall_http_request_duration_seconds',
    help: 'How long requests took, by route and status class',
    type: 'histogram',
    samples: samples.flat(),
  }
}

function countEvents(core: Core): () => readonly Family[] {
  const counted = { login: new Map<string, number>(), refused: new Map<string, number>(), registered: 0, logout: 0 }
  const count = (map: Map<string, number>, key: string) => map.set(key, (map.get(key) ?? 0) + 1)
  for (const outcome of LOGIN_OUTCOMES) counted.login.set(outcome, 0)
  for (const code of ['cross_site_request', 'too_many_requests']) counted.refused.set(code, 0)
  core.events.on('login', ({ outcome }) => count(counted.login, outcome))
  core.events.on('refused', ({ code }) => count(counted.refused, code))
  core.events.on('registered', () => counted.registered++)
  core.events.on('logout', () => counted.logout++)
  const by = (label: string, map: Map<string, number>) => [...map].flatMap(([value, n]) => single(n, { [label]: value }))
  return () => [
    {
      name: 'guildhall_logins_total',
      help: 'Tries to log in, by outcome',
      type: 'counter',
      samples: by('outcome', counted.login),
    },
    { name: 'guildhall_registrations_total', help: 'Accounts made', type: 'counter', samples: single(counted.registered) },
    { name: 'guildhall_logouts_total', help: 'Logouts', type: 'counter', samples: single(counted.logout) },
    {
      name: 'guildhall_refusals_total',
      help: 'Cross-site writes and throttled tries',
      type: 'counter',
      samples: by('code', counted.refused),
    },
  ]
}

function hashing({ passwords: { stats } }: Core): readonly Family[] {
  return [
    { name: 'guildhall_password_hashes_total', help: 'Password hashes computed', type: 'counter', samples: single(stats.done) },
    { name: 'guildhall_password_hashes_running', help: 'Password hashes at work', type: 'gauge', samples: single(stats.running) },
    {
      name: 'guildhall_password_hashes_waiting',
      help: 'Password hashes in the queue',
      type: 'gauge',
      samples: single(stats.waiting),
    },
    {
      name: 'guildhall_password_hashes_limit',
      help: 'Password hashes that may wait',
      type: 'gauge',
      samples: single(stats.limit),
    },
  ]
}

let registry: Promise<Registry> | undefined

/** Memory, processor, event loop: prom-client's, loaded when first asked for, in a registry of its own. */
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
