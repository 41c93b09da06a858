// A disk as a traced program writes to it, and what is left of its files when the power fails.

const SECTOR = 512

interface Change {
  readonly offset: number
  /** Undefined: the file ends there. */
  readonly bytes: Uint8Array | undefined
}

/** What was synced stays. Of what was written since, each write is kept, lost or torn into sectors, in no order. */
export class Disk {
  readonly #synced = new Map<string, Uint8Array>()
  readonly #pending = new Map<string, Change[]>()

  constructor(files: Readonly<Record<string, Uint8Array>>) {
    for (const [file, bytes] of Object.entries(files)) this.#synced.set(file, bytes)
  }

  change(file: string, change: Change): void {
    const pending = this.#pending.get(file)
    if (pending) pending.push(change)
    else this.#pending.set(file, [change])
  }

  sync(file: string): void {
    this.#synced.set(file, (this.#pending.get(file) ?? []).reduce(apply, this.#synced.get(file) ?? new Uint8Array()))
    this.#pending.delete(file)
  }

  get isUnsynced(): boolean {
    return this.#pending.size > 0
  }

  afterPowerCut(file: string): Uint8Array {
    const left = (this.#pending.get(file) ?? []).flatMap(survivors)
    return left.reduce(apply, this.#synced.get(file) ?? new Uint8Array())
  }
}

function survivors({ offset, bytes }: Change): readonly Change[] {
  const fate = Math.random()
  if (fate < 1 / 3) return []
  if (fate < 2 / 3 || bytes === undefined) return [{ offset, bytes }]
  const sectors: Change[] = []
  for (let at = 0; at < bytes.length; at += SECTOR)
    if (Math.random() < 0.5) sectors.push({ offset: offset + at, bytes: bytes.subarray(at, at + SECTOR) })
  return sectors
}

function apply(before: Uint8Array, { offset, bytes }: Change): Uint8Array {
  if (bytes === undefined) return before.slice(0, offset)
  const end = offset + bytes.length
  const after = end > before.length ? new Uint8Array(end) : before.slice()
  if (after.length > before.length) after.set(before)
  after.set(bytes, offset)
  return after
}

/** One line of `strace -f -y -xx -e trace=pwrite64,ftruncate,fsync,fdatasync`. */
export type Traced =
  | { readonly kind: 'change'; readonly file: string; readonly change: Change }
  | { readonly kind: 'sync'; readonly file: string }

/** Reads the lines of a trace in their order, with where each ends. A call that two lines tell of changes the file at the first, and is synced at the second. */
export function* tracedIn(trace: Buffer, from = 0): Generator<Traced & { readonly end: number }> {
  const syncing = new Map<string, string>()
  for (let start = from; ; ) {
    const newline = trace.indexOf('\n', start)
    if (newline === -1) return
    const end = newline + 1
    const traced = tracedOf(trace.toString('latin1', start, newline), syncing)
    if (traced) yield { ...traced, end }
    start = end
  }
}

const WRITE = /^\d+ +pwrite64\(\d+<([^>]*)>, "([^"]*)", \d+, (\d+)/
const TRUNCATE = /^\d+ +ftruncate\(\d+<([^>]*)>, (\d+)/
const SYNC = /^(\d+) +f(?:data)?sync\(\d+<([^>]*)>(.*)$/
const SYNCED = /^(\d+) +<\.\.\. f(?:data)?sync resumed>\) += 0$/

function tracedOf(line: string, syncing: Map<string, string>): Traced | undefined {
  const [, written, text = '', offset] = WRITE.exec(line) ?? []
  if (written !== undefined)
    return { kind: 'change', file: path(written), change: { offset: Number(offset), bytes: bytesOf(text) } }
  const [, cut, length] = TRUNCATE.exec(line) ?? []
  if (cut !== undefined) return { kind: 'change', file: path(cut), change: { offset: Number(length), bytes: undefined } }
  const [, pid = '', file, rest = ''] = SYNC.exec(line) ?? []
  if (file !== undefined && /^\) += 0$/.test(rest)) return { kind: 'sync', file: path(file) }
  if (file !== undefined) syncing.set(pid, path(file))
  const [, resumed = ''] = SYNCED.exec(line) ?? []
  const synced = syncing.get(resumed)
  return synced === undefined ? undefined : { kind: 'sync', file: synced }
}

function bytesOf(text: string): Uint8Array {
  return Buffer.from(text.replaceAll('\\x', ''), 'hex')
}

function path(text: string): string {
  return Buffer.from(bytesOf(text)).toString()
}
