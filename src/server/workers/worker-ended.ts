// Told apart from other failures: whoever hears of it has nothing more to say.

/** A worker ended before it served, or could not be made. */
export class WorkerEnded extends Error {
  override readonly name = 'WorkerEnded'
  readonly exitCode: number

  constructor(code: number | null, signal: string | null, cause?: unknown) {
    super(String(signal ?? code), { cause })
    this.exitCode = code || 1
  }
}
