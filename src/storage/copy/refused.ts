// A copy that is not made, and why.

/**
 * `busy`: the target is the source, or another copy is at work with it. `foreign`: it has rows that no copy brought. `other_source`: it
 * holds the unfinished copy of something else. `null`: a text that PostgreSQL cannot hold. `redis`: Redis has sessions already.
 */
export type Refusal = 'busy' | 'foreign' | 'other_source' | 'null' | 'redis'

export class CopyRefusedError extends Error {
  override readonly name = 'CopyRefusedError'
  readonly reason: Refusal
  readonly values: Readonly<Record<string, string>>

  constructor(reason: Refusal, values: Readonly<Record<string, string>> = {}) {
    super(`this copy is refused: ${reason}`)
    this.reason = reason
    this.values = values
  }
}

/** The source or the target could not be opened. */
export class CopySideError extends Error {
  override readonly name = 'CopySideError'
  readonly side: 'from' | 'to'

  constructor(side: 'from' | 'to', cause: unknown) {
    super(`the database ${side} which is copied failed`, { cause })
    this.side = side
  }
}
