// A small server with sessions in SQLite that reports stalls of its event loop and each cleanup batch.
import { createServer } from 'node:http'
import { monitorEventLoopDelay } from 'node:perf_hooks'

/** One batch of the cleanup that deleted something. */
export interface Batch {
  readonly startedAt: number
  readonly ms: number
  readonly deleted: number
}

export interface CleanupReport {
  /** Since it was asked last. */
  readonly longestStallMs: number
  readonly batches: readonly Batch[]
}

const HURRY = 10
const CLEANUP_MS = 30_000

// The cleanup runs about once a minute; nobody waits that long here.
const { setTimeout: plan } = globalThis
Object.assign(globalThis, {
  setTimeout: (work: () => void, ms = 0, ...rest: []) => plan(work, ms > CLEANUP_MS ? ms / HURRY : ms, ...rest),
})
const { session } = await import('../src/session/index.ts')
const { SqliteStore } = await import('../src/session/stores/sqlite.ts')

const store = new SqliteStore({ path: JSON.parse(process.argv[2] ?? '{}').path })
const batches: Batch[] = []
const deleteExpired = store.deleteExpired.bind(store)
store.deleteExpired = async (...args: Parameters<typeof deleteExpired>) => {
  const startedAt = performance.timeOrigin + performance.now()
  const deleting = deleteExpired(...args)
  const ms = performance.timeOrigin + performance.now() - startedAt
  const deleted = await deleting
  if (deleted > 0) batches.push({ startedAt, ms, deleted })
  return deleted
}
const sessions = session({ store })
const stalls = monitorEventLoopDelay({ resolution: 1 })
stalls.enable()

const server = createServer((req, res) => {
  if (req.url === '/report') {
    const report: CleanupReport = { longestStallMs: stalls.max / 1e6, batches: batches.splice(0) }
    stalls.reset()
    return res.end(JSON.stringify(report))
  }
  sessions(req, res, (error) => {
    if (error !== undefined) return res.writeHead(500).end()
    Object.assign(Reflect.get(req, 'session'), { at: Date.now() })
    return res.end()
  })
})
server.keepAliveTimeout = 0
server.listen(0, '127.0.0.1', () => {
  const address = server.address()
  if (typeof address === 'object') process.send?.({ base: `http://127.0.0.1:${address?.port}` })
})
