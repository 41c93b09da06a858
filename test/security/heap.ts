// How much memory is in use once the garbage is gone.
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

setFlagsFromString('--expose-gc')
const collect: unknown = runInNewContext('gc')

/** Bytes on the heap after a full collection. */
export function heapInUse(): number {
  if (typeof collect !== 'function') throw new Error('there is no gc() in this Node')
  collect()
  collect()
  return process.memoryUsage().heapUsed
}
