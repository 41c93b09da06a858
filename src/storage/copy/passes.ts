// The passes of a copy over one table. Each walks two sides by their keys at once, and holds one batch of each.
import { createHash } from 'node:crypto'
import { codeOf } from '../../database/postgres/query.ts'
import type { Awaitable } from '../../domain/awaitable.ts'
import { CopyRefused } from './refused.ts'
import { BATCH, compareKeys, isSameRow, keyOf, type Row, type Side, type Table, type Target } from './side.ts'

/** What a table comes to: how many rows, and a digest of all of them. */
export interface Sum {
  readonly rows: number
  readonly digest: string
}

export interface Filled {
  /** What the table comes to in the source. */
  readonly sum: Sum
  /** How many rows the target lacked. */
  readonly added: number
}

/** In what a target differs from its source. */
export interface Differences {
  readonly source: Sum
  readonly target: Sum
  /** The keys of rows that only the target has, and of rows that it lacks or has otherwise; undefined where they are too many to keep. */
  readonly gone: readonly string[] | undefined
  readonly due: readonly string[] | undefined
}

/** Keys take about a hundred bytes each. */
const MOST_DIFFERENCES = 100_000

/** Changes nothing. */
export async function survey(
  wanted: AsyncIterable<readonly Row[]>,
  target: Target,
  table: Table,
  tell: (rows: number) => void,
): Promise<Differences> {
  const [source, there] = [new Adding(), new Adding()]
  const [gone, due]: [string[], string[]] = [[], []]
  const note = (keys: string[], row: Row) => {
    if (keys.length <= MOST_DIFFERENCES) keys.push(keyOf(row))
  }
  const inSource = new Finder(wanted, { loaded: (rows) => source.add(rows), passed: (row) => note(due, row) })
  try {
    for await (const rows of target.batches(table)) {
      for (const row of rows) {
        const finding = inSource.find(keyOf(row))
        const found = finding instanceof Promise ? await finding : finding
        if (found === undefined) note(gone, row)
        else if (!isSameRow(row, found)) note(due, row)
      }
      there.add(rows)
      tell(there.rows)
    }
    await inSource.rest()
  } finally {
    await inSource.close()
  }
  const isFew = gone.length <= MOST_DIFFERENCES && due.length <= MOST_DIFFERENCES
  return { source: source.sum(), target: there.sum(), gone: isFew ? gone : undefined, due: isFew ? due : undefined }
}

/** Writes rows of the source over what the target has of them. Throws CopyRefused where one needs the name of another that is still to change. */
export async function renew(source: Side, target: Target, table: Table, keys: readonly string[]): Promise<void> {
  for (const some of inBatches(keys)) await write(target, table, await source.rowsOf(table, some))
}

export async function remove(target: Target, table: Table, keys: readonly string[]): Promise<void> {
  for (const some of inBatches(keys)) await target.delete(table, some)
}

function* inBatches(keys: readonly string[]): Generator<readonly string[]> {
  for (let at = 0; at < keys.length; at += BATCH) yield keys.slice(at, at + BATCH)
}

/**
 * Takes out of the target whatever is not wanted like that: what is gone, and what is another row by now. Only when all
 * of it is gone can the new rows be written in any order: a name that two people exchanged is free by then.
 */
export async function prune(wanted: AsyncIterable<readonly Row[]>, target: Target, table: Table): Promise<number> {
  const inSource = new Finder(wanted)
  let removed = 0
  try {
    for await (const rows of target.batches(table)) {
      const surplus: string[] = []
      for (const row of rows) {
        const finding = inSource.find(keyOf(row))
        const found = finding instanceof Promise ? await finding : finding
        if (!isSameRow(row, found)) surplus.push(keyOf(row))
      }
      if (surplus.length > 0) await target.delete(table, surplus)
      removed += surplus.length
    }
  } finally {
    await inSource.close()
  }
  return removed
}

/** Writes what the target lacks. */
export async function fill(
  wanted: AsyncIterable<readonly Row[]>,
  target: Target,
  table: Table,
  tell: (rows: number) => void,
): Promise<Filled> {
  const inTarget = new Finder(target.batches(table))
  const adding = new Adding()
  let added = 0
  // Reads on while the last batch is being written.
  let writing: Promise<void> = Promise.resolve()
  try {
    for await (const rows of wanted) {
      const missing: Row[] = []
      for (const row of rows) {
        const finding = inTarget.find(keyOf(row))
        const found = finding instanceof Promise ? await finding : finding
        if (found === undefined) missing.push(row)
      }
      adding.add(rows)
      await writing
      if (missing.length > 0) writing = write(target, table, missing)
      // It is awaited before the next; until then it is nobody's unheard rejection.
      writing.catch(() => {})
      added += missing.length
      tell(adding.rows)
    }
    await writing
  } finally {
    await writing.catch(() => {})
    await inTarget.close()
  }
  return { sum: adding.sum(), added }
}

async function write(target: Target, table: Table, rows: readonly Row[]): Promise<void> {
  try {
    await target.write(table, rows)
  } catch (error) {
    // The text names the rule, not the row, which may be a secret.
    if (isRefusedRow(error)) throw new CopyRefused('row', { table: table.name, message: error.message }, error)
    throw error
  }
}

const SQLITE_CONSTRAINT = 19 // https://www.sqlite.org/rescode.html#constraint

/** Data that does not fit (22) or breaks a rule of the schema (23). https://www.postgresql.org/docs/current/errcodes-appendix.html */
function isRefusedRow(error: unknown): error is Error {
  if (!(error instanceof Error)) return false
  if ('errcode' in error && typeof error.errcode === 'number') return (error.errcode & 0xff) === SQLITE_CONSTRAINT
  return /^2[23]/.test(codeOf(error))
}

/** What a table comes to. */
export async function sumOf(side: Side, table: Table, tell: (rows: number) => void = () => {}): Promise<Sum> {
  const adding = new Adding()
  for await (const rows of side.batches(table)) {
    adding.add(rows)
    tell(adding.rows)
  }
  return adding.sum()
}

class Adding {
  readonly #hash = createHash('sha256')
  rows = 0

  add(rows: readonly Row[]): void {
    this.#hash.update(rows.map((row) => `${JSON.stringify(row)}\n`).join(''))
    this.rows += rows.length
  }

  sum(): Sum {
    return { rows: this.rows, digest: this.#hash.digest('base64url') }
  }
}

interface Heard {
  /** Each batch as it comes. */
  readonly loaded?: (rows: readonly Row[]) => void
  /** Each row that nobody asked for. */
  readonly passed?: (row: Row) => void
}

/** Finds rows by keys that are asked for in their order, each once. Answers at once but where the next batch has to come. */
class Finder {
  readonly #batches: AsyncIterator<readonly Row[]>
  readonly #heard: Heard
  #rows: readonly Row[] = []
  #at = 0
  #isOver = false

  constructor(batches: AsyncIterable<readonly Row[]>, heard: Heard = {}) {
    this.#batches = batches[Symbol.asyncIterator]()
    this.#heard = heard
  }

  find(key: string): Awaitable<Row | undefined> {
    for (;;) {
      const row = this.#rows[this.#at]
      if (row === undefined) return this.#isOver ? undefined : this.#findLater(key)
      const order = compareKeys(keyOf(row), key)
      if (order > 0) return undefined
      this.#at++
      if (order === 0) return row
      this.#heard.passed?.(row)
    }
  }

  /** Passes whatever is left. */
  async rest(): Promise<void> {
    for (;;) {
      for (const row of this.#rows.slice(this.#at)) this.#heard.passed?.(row)
      if (this.#isOver) return
      await this.#load()
    }
  }

  async close(): Promise<void> {
    await this.#batches.return?.()
  }

  async #findLater(key: string): Promise<Row | undefined> {
    await this.#load()
    return this.find(key)
  }

  async #load(): Promise<void> {
    const { value, done } = await this.#batches.next()
    this.#rows = done ? [] : value
    this.#at = 0
    this.#isOver = done === true
    this.#heard.loaded?.(this.#rows)
  }
}
