// Loaded before a server of a run: says on a port of its own what the process holds once the garbage is gone.
import { readdirSync } from 'node:fs'
import { createServer } from 'node:http'
import { isMainThread } from 'node:worker_threads'
import { heapInUse } from '../test/security/heap.ts'

/** What `GET /` answers. */
export interface Usage {
  readonly heapBytes: number
  readonly fileHandles: number
}

/** The variable that names the port. */
export const PORT_VARIABLE = 'STRESS_PROBE_PORT'

const port = process.env[PORT_VARIABLE]
// Threads load it too.
if (port !== undefined && isMainThread) {
  const server = createServer((_req, res) => {
    const usage: Usage = { heapBytes: heapInUse(), fileHandles: readdirSync('/proc/self/fd').length }
    res.end(JSON.stringify(usage))
  })
  // One connection for each question: a kept one would be a handle more.
  server.keepAliveTimeout = 1
  server.listen(Number(port), '127.0.0.1').unref()
}
