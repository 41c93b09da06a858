// Told apart from other failures: whoever hears of it has nothing more to say.
/** A worker ended before it served. */
export class WorkerEnded extends Error {
  override readonly name = 'WorkerEnded'
  readonly exitCode: number

  constructor(code: number | null, signal: string | null) {
    super(String(signal ?? code))
    this.exitCode = code || 1
  }
}
