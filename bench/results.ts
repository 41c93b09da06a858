// What bench/results.json holds. Its parts may have been measured one by one, and by an older benchmark that knew less.
import type { Busyness } from './busyness.ts'
import type { CountResult } from './counts.ts'
import type { GrowthResult } from './growth.ts'
import type { ProfileResult } from './profile.ts'
import type { ReadResult, ReadRow } from './reads.ts'
import type { StormResult } from './storm.ts'

export const PARTS = ['reads', 'storm', 'growth'] as const
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

  readonly growth?: GrowthResult
}
