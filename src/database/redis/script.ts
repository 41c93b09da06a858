// Scripts on the redis package: one key each, bounded in time, one error for a server that is away.

import { hash } from 'node:crypto'
import { isError } from '../../domain/builtins.ts'
import { StoreUnavailableError, withTimeout } from '../timeout.ts'

/** The part of the redis package's client that is used. What createClient, createSentinel and createCluster return fits. */
export interface RedisClient {
  evalSha(sha1: string, options: RedisScriptOptions): Promise<unknown>
  eval(script: string, options: RedisScriptOptions): Promise<unknown>
  /** False while there is no connection. Then nothing is sent: it would wait in the client's queue. */
  readonly isReady?: boolean
  /** The same client with other options for its calls. */
  withCommandOptions?(options: { readonly timeout: number }): RedisClient
}

export interface RedisScriptOptions {
  keys: string[]
  arguments: string[]
}

/** An atomic step on one key: in a cluster, all keys of a script must be on one node. */
export interface Script {
  readonly text: string
  readonly sha1: string
}

/** Made once; the server keeps scripts by their SHA-1. */
export function script(text: string): Script {
  return { text, sha1: hash('sha1', text) }
}

/** How long a key outlives its content: the clocks of Redis and of this machine may differ by seconds. */
export const RETENTION_MS = 60_000

/** Runs a script, never on a replica, which may not know of a logout yet. */
export async function runScript(
  client: RedisClient,
  { text, sha1 }: Script,
  key: string,
  values: readonly (string | number)[] = [],
): Promise<unknown> {
  if (client.isReady === false) throw new StoreUnavailableError('Redis cannot be reached')
  const options = { keys: [key], arguments: values.map(String) }
  const call = async (): Promise<unknown> => {
    try {
      return await client.evalSha(sha1, options)
    } catch (error) {
      if (!startsWith(error, 'NOSCRIPT')) throw error
      return client.eval(text, options)
    }
  }
  try {
    return await withTimeout('Redis', call())
  } catch (error) {
    throw asUnavailable(error)
  }
}

/** A programming error stays what it is; any other error of Redis or the network means that it is unavailable. */
function asUnavailable(error: unknown): unknown {
  const isOurs = startsWith(error, 'ERR ') || startsWith(error, 'WRONGTYPE') || error instanceof TypeError
  const isTold = !isError(error) || error instanceof StoreUnavailableError || ('code' in error && error.code === 'redis_missing')
  return isOurs || isTold ? error : new StoreUnavailableError('Redis cannot be reached', error)
}

function startsWith(error: unknown, text: string): boolean {
  return isError(error) && error.message.startsWith(text)
}
