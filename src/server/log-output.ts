// Writes the log to the standard output, without waiting for its reader.
import { write } from 'node:fs'
import { Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'

/** Lines beyond this are dropped when nobody reads the log: memory is for members. */
const MAX_WAITING_CHARACTERS = 16 * 1024 * 1024
/** How long `flush` waits for a slow reader. */
const FLUSH_TIMEOUT_MS = 500

export class LogOutput {
  readonly #maxWriteBytes: number
  readonly #delayMs: number
  readonly #write: (text: string, done: () => void) => void
  /** Whole lines in the order of writing. */
  readonly #chunks: string[] = []
  #lines = ''
  #bytes = 0
  #waiting = 0
  #isWriting = false
  #timer: NodeJS.Timeout | undefined
  #whenEmpty: (() => void) | undefined

  /** One write has whole lines up to `maxWriteBytes`; a longer line is written alone. A line waits `delayMs` for others. */
  constructor({ maxWriteBytes, delayMs }: { readonly maxWriteBytes: number; readonly delayMs: number }) {
    this.#maxWriteBytes = maxWriteBytes
    this.#delayMs = delayMs
    const { stdout } = process
    // On a pipe, a socket or a terminal Node writes what fits and waits without a thread: a write that hangs in a thread would keep the
    // process alive. Files do not hang.
    this.#write = stdout instanceof Socket ? (text, done) => void stdout.write(text, done) : writeToFile
    stdout.on('error', () => {})
  }

  write(line: string): void {
    if (this.#waiting + line.length > MAX_WAITING_CHARACTERS) return
    this.#waiting += line.length
    const bytes = Buffer.byteLength(line)
    if (this.#bytes + bytes > this.#maxWriteBytes) this.#close()
    this.#lines += line
    this.#bytes += bytes
    this.#timer ??= setTimeout(() => this.#close(), this.#delayMs).unref()
  }

  /** Resolves when everything is written, or after half a second. */
  async flush(): Promise<void> {
    this.#close()
    if (this.#waiting === 0) return
    const empty = new Promise<void>((resolve) => {
      this.#whenEmpty = resolve
    })
    await Promise.race([empty, sleep(FLUSH_TIMEOUT_MS)])
  }

  /** Queues what was collected, to be written now or after the writes before it. */
  #close(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    if (this.#lines === '') return
    this.#chunks.push(this.#lines)
    this.#lines = ''
    this.#bytes = 0
    this.#next()
  }

  /** One write at a time: Node would join two waiting ones, and a pipe may split them. */
  #next(): void {
    if (this.#isWriting) return
    const chunk = this.#chunks.shift()
    if (chunk === undefined) return this.#whenEmpty?.()
    this.#isWriting = true
    this.#write(chunk, () => {
      this.#isWriting = false
      this.#waiting -= chunk.length
      this.#next()
    })
  }
}

/** What a full disk does not take is lost; later lines may fit again. */
function writeToFile(text: string, done: () => void): void {
  const bytes = Buffer.from(text)
  const from = (start: number) =>
    write(1, bytes, start, (error, written) => {
      if (error || start + written >= bytes.length) return done()
      from(start + written)
    })
  from(0)
}
