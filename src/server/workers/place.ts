// Which worker of a supervisor this process is: told in two variables when it is started.
import cluster from 'node:cluster'
import { readRawVariable } from '../env.ts'

export interface WorkerPlace {
  /** From 1. */
  readonly number: number
  /** Where other workers have opened; undefined for the first of all. */
  readonly port: number | undefined
}

const WORKER_NUMBER = 'GUILDHALL_WORKER'
const WORKER_PORT = 'GUILDHALL_WORKER_PORT'

export function writeWorkerPlace({ number, port }: WorkerPlace): Readonly<Record<string, string>> {
  return { [WORKER_NUMBER]: String(number), ...(port !== undefined && { [WORKER_PORT]: String(port) }) }
}

/** Undefined where this process is no worker. */
export function readWorkerPlace(): WorkerPlace | undefined {
  const number = Number(readRawVariable(WORKER_NUMBER))
  if (!cluster.isWorker || !process.connected || !(number > 0)) return undefined
  return { number, port: Number(readRawVariable(WORKER_PORT)) || undefined }
}
