// What bench/results.json holds. Its parts may have been measured one by one, and by an older benchmark that knew less.
import type { Busyness } from './busyness.ts'
import type { CapacityRow } from './capacity.ts'
import type { CountResult } from './counts.ts'
import type { GrowthResult } from './growth.ts'
import type { StoreGrowthResult } from './growth-stores.ts'
import type { ProfileResult } from './profile.ts'
import type { ReadResult, ReadRow } from './reads.ts'
import type { StormResult } from './storm.ts'
import type { RivalRow } from './storm-rivals.ts'

export const PARTS = ['reads', 'storm', 'processes', 'growth', 'stores', 'capacity'] as const
export type Part = (typeof PARTS)[number]

export interface Results {
  /** When the benchmark was begun. */
  readonly date: string
  readonly machine: { readonly node: string; readonly processor: string; readonly cores: number; readonly generator: string }
  /** When each part was measured, and how busy the machine was. */
  readonly runs?: Readonly<Partial<Record<Part, { readonly date: string; readonly load: Busyness }>>>

  readonly reads?: readonly ReadRow[]
  readonly leftOut?: ReadResult['leftOut']
  readonly counts?: CountResult
  readonly profiles?: Readonly<Record<string, ProfileResult>>

  readonly storm?: StormResult

  /** The storm with several processes on one PostgreSQL. */
  readonly processes?: readonly RivalRow[]

  readonly growth?: GrowthResult

  /** Growth on PostgreSQL and Redis. */
  readonly stores?: StoreGrowthResult

  /** What docs/measurements/scaling.md reckons with. */
  readonly capacity?: readonly CapacityRow[]
}
