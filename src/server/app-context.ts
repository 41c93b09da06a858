// What the middleware of the server is given: made once at the start.
import type { Internals } from '../membership.ts'
import type { Config } from './config.ts'
import type { DevMailbox } from './dev-mailbox.ts'
import type { ServerLog } from './logging.ts'
import type { Metrics } from './metrics.ts'
import type { Lifecycle } from './stop.ts'

export interface AppContext {
  readonly config: Config
  readonly internals: Internals
  readonly log: ServerLog
  readonly metrics: Metrics
  readonly lifecycle: Pick<Lifecycle, 'isStopping' | 'isClosing'>
  readonly mailbox?: DevMailbox | undefined
}
