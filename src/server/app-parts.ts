// What the steps of a request are given: made once at the start, the same for every request.
import type { House } from '../membership.ts'
import type { Config } from './config.ts'
import type { ServerLog } from './logging.ts'
import type { Metrics } from './metrics.ts'
import type { Lifecycle } from './stop.ts'

export interface AppParts {
  readonly config: Config
  readonly house: House
  readonly log: ServerLog
  readonly metrics: Metrics
  readonly lifecycle: Pick<Lifecycle, 'isStopping' | 'isClosing'>
}
