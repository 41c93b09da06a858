// What a copy leaves written in its target: whose copy it is, and how it looked when it was done. Without it nothing is ever deleted there.

export interface Mark {
  /** The database that was copied, as it names itself. */
  readonly source: string
  /** Where its sessions went, if not into the target. */
  readonly redis: string | undefined
  /** What the tables came to when the copy was done; undefined while one is on its way. */
  readonly done: Readonly<Record<string, string>> | undefined
}

export function writeMark({ source, redis, done }: Mark): string {
  return JSON.stringify({ source, redis, done })
}

/** Undefined where no copy of ours wrote this. */
export function readMark(text: string): Mark | undefined {
  const { source, redis, done }: Record<string, unknown> = JSON.parse(text)
  if (typeof source !== 'string') return undefined
  return { source, redis: typeof redis === 'string' ? redis : undefined, done: isTexts(done) ? done : undefined }
}

function isTexts(value: unknown): value is Readonly<Record<string, string>> {
  return typeof value === 'object' && value !== null && Object.values(value).every((text) => typeof text === 'string')
}
