// A copy that is not made, or not to its end, and why.

/**
 * `busy`: the target is the source, or another copy is at work with it. `foreign`: it has rows that no copy brought. `other_source`: it
 * holds the copy of another database. `null`: a text that PostgreSQL cannot hold. `row`: the target does not take a row.
 * `redis`: Redis has sessions that no copy brought. `other_redis`: the sessions of the last copy went elsewhere, and would live on there.
 */
export type Refusal = 'busy' | 'foreign' | 'other_source' | 'null' | 'row' | 'redis' | 'other_redis'

export class CopyRefused extends Error {
  override readonly name = 'CopyRefused'
  readonly reason: Refusal
  readonly values: Readonly<Record<string, string>>

  constructor(reason: Refusal, values: Readonly<Record<string, string>> = {}, cause?: unknown) {
    super(`this copy is refused: ${reason}`, { cause })
    this.reason = reason
    this.values = values
  }
}
