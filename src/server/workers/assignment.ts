// Tells a new process, by environment variables, which worker of the supervisor it is.
import cluster from 'node:cluster'
import { readRawVariable } from '../env.ts'

export interface WorkerAssignment {
  /** From 1. */
  readonly number: number
  /** The port of the other workers; undefined for the first one. */
  readonly port: number | undefined
  /** PORT and HOST as they were at the start: later workers listen there too. */
  readonly listen: Listen | undefined
}

export interface Listen {
  readonly port: number
  readonly host: string
}

const WORKER_NUMBER = 'GUILDHALL_WORKER'
const WORKER_PORT = 'GUILDHALL_WORKER_PORT'
const WORKER_LISTEN = 'GUILDHALL_WORKER_LISTEN'

export function writeWorkerAssignment({ number, port, listen }: WorkerAssignment): Readonly<Record<string, string>> {
  return {
    [WORKER_NUMBER]: String(number),
    ...(listen && { [WORKER_LISTEN]: `${listen.port} ${listen.host}` }),
    ...(port !== undefined && { [WORKER_PORT]: String(port) }),
  }
}

/** Undefined if this process is no worker. */
export function readWorkerAssignment(): WorkerAssignment | undefined {
  const number = Number(readRawVariable(WORKER_NUMBER))
  if (!cluster.isWorker || !process.connected || !(number > 0)) return undefined
  return { number, port: Number(readRawVariable(WORKER_PORT)) || undefined, listen: readListen() }
}

/** Undefined from an older supervisor. */
function readListen(): Listen | undefined {
  const [port, host] = readRawVariable(WORKER_LISTEN)?.split(' ') ?? []
  return host === undefined ? undefined : { port: Number(port), host }
}
