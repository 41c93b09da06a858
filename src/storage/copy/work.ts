// The work of one copy over all tables: mended where little differs, else pruned and filled; compared in the end in any case.
import type { TableName } from '../schema.ts'
import type { CopiedTable, Progress } from './copied.ts'
import { type Differences, fill, prune, remove, renew, type Sum, sumOf, survey } from './passes.ts'
import { CopyRefused } from './refused.ts'
import type { Row, Side, Table, Target } from './side.ts'

interface WorkOptions {
  /** The target's own table of sessions stays empty. */
  readonly sessionsElsewhere: boolean
  readonly tell: (progress: Progress) => void
}

export class Work {
  readonly #source: Side
  readonly #target: Target
  /** Parents first. */
  readonly #tables: readonly Table[]
  readonly #options: WorkOptions
  readonly #sums = new Map<Table, Sum>()
  readonly #added = new Map<Table, number>()
  readonly #removed = new Map<Table, number>()

  constructor(source: Side, target: Target, tables: readonly Table[], options: WorkOptions) {
    this.#source = source
    this.#target = target
    this.#tables = tables
    this.#options = options
  }

  /** How the target differs now. */
  async survey(): Promise<ReadonlyMap<Table, Differences>> {
    const found = new Map<Table, Differences>()
    for (const table of this.#tables)
      found.set(table, await survey(this.#wanted(table), this.#target, table, await this.#telling(table, 'look')))
    return found
  }

  /** Takes out what is gone and writes what is due. False where that is too much, or rows stand in each other's way: then the rest is still to do. */
  async mend(differences: ReadonlyMap<Table, Differences>): Promise<boolean> {
    if ([...differences.values()].some(({ gone, due }) => gone === undefined || due === undefined)) return false
    // Children first: what hangs on a row that is gone is gone, too.
    for (const [table, { gone = [] }] of [...differences].toReversed()) {
      await remove(this.#target, table, gone)
      add(this.#removed, table, gone.length)
    }
    try {
      for (const [table, { due = [], source }] of differences) {
        await renew(this.#source, this.#target, table, due)
        add(this.#added, table, due.length)
        this.#sums.set(table, source)
      }
      return true
    } catch (error) {
      // Two people who exchanged their names: neither can be written before the other.
      if (error instanceof CopyRefused && error.reason === 'row') return false
      throw error
    }
  }

  async copyAll(): Promise<void> {
    // Children first, and all before anything is written. What hangs on a changed row goes with it, and is written again with the rest.
    for (const table of this.#tables.toReversed())
      add(this.#removed, table, await prune(this.#wanted(table), this.#target, table))
    for (const table of this.#tables) {
      const tell = await this.#telling(table, 'copy')
      const { sum, added } = await fill(this.#wanted(table), this.#target, table, tell)
      add(this.#added, table, added)
      this.#sums.set(table, sum)
    }
  }

  /** Reads the target again, but for tables in which a survey found nothing to do. */
  async check(surveyed: ReadonlyMap<Table, Differences>): Promise<{
    readonly copied: readonly CopiedTable[]
    readonly done: Readonly<Record<string, string>>
  }> {
    const copied: CopiedTable[] = []
    const done: Record<string, string> = {}
    for (const table of this.#tables) {
      const known = surveyed.get(table)
      const isKnown = known !== undefined && known.source.digest === known.target.digest
      const there = isKnown ? known.target : await sumOf(this.#target, table, await this.#telling(table, 'check'))
      const sum = this.#sums.get(table)
      const same = sum?.rows === there.rows && sum.digest === there.digest
      const counts = { source: sum?.rows ?? 0, target: there.rows }
      const work = { added: this.#added.get(table) ?? 0, removed: this.#removed.get(table) ?? 0 }
      copied.push({ table: table.name, same, ...counts, ...work })
      done[table.name] = there.digest
    }
    return { copied, done }
  }

  #wanted(table: Table): AsyncIterable<readonly Row[]> {
    return this.#isElsewhere(table.name) ? nothing() : this.#source.batches(table)
  }

  async #telling(table: Table, step: Progress['step']): Promise<(rows: number) => void> {
    const of = this.#isElsewhere(table.name) ? 0 : await this.#source.count(table.name)
    return (rows) => this.#options.tell({ table: table.name, step, rows, of })
  }

  #isElsewhere(name: TableName): boolean {
    return this.#options.sessionsElsewhere && name === 'guildhall_sessions'
  }
}

function add(to: Map<Table, number>, table: Table, count: number): void {
  to.set(table, (to.get(table) ?? 0) + count)
}

async function* nothing(): AsyncGenerator<readonly Row[]> {}
