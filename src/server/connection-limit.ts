// Keeps file descriptors for the database and the log: connections beyond them are closed.
import { readdirSync, readFileSync } from 'node:fs'
import type { Server } from 'node:http'
import { availableParallelism } from 'node:os'
import type { Logger } from '../domain/logger.ts'
import { limitLog } from './log-limit.ts'
import type { Metrics } from './metrics.ts'

/** For what opens later: connections to stores, files of the database. */
const KEPT_FREE = 64
/** What each hashing thread takes. */
const PER_THREAD = 8

const FULL =
  'Connections are turned away: this process may have no more files and sockets open; raise the limit (ulimit -n, LimitNOFILE), or see who opens so many'

/** To be called when everything is open. Without a known limit of the machine, nothing is limited. */
export function limitConnections(server: Server, log: Pick<Logger, 'warn'>, metrics: Pick<Metrics, 'connectionDropped'>): void {
  const limit = descriptorLimit()
  if (limit === undefined) return
  const own = readdirSync('/proc/self/fd').length + KEPT_FREE + PER_THREAD * availableParallelism()
  const maxConnections = Math.max(limit - own, Math.floor(limit / 4))
  // Without `dropMaxConnection` a full worker would hand the connection back to the first process, which would keep it.
  Object.assign(server, { maxConnections, dropMaxConnection: true })
  const warn = limitLog((fields, message) => log.warn(fields, message))
  server.on('drop', () => {
    metrics.connectionDropped()
    warn({ maxConnections }, FULL)
  })
}

/** Undefined if it is unknown, or if there is none. */
function descriptorLimit(): number | undefined {
  try {
    const [, limit] = /^Max open files\s+(\d+)/m.exec(readFileSync('/proc/self/limits', 'utf8')) ?? []
    return limit === undefined ? undefined : Number(limit)
  } catch {
    return undefined
  }
}
