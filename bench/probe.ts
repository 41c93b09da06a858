// Loaded before a measured server: answers, over the channel to the benchmark, what the process has used so far.
import cluster from 'node:cluster'
import { StatementSync } from 'node:sqlite'

export type Question = 'usage' | 'count statements'

export interface Usage {
  /** User and system time of the whole process, threads included. */
  readonly cpuMicros: number
  readonly rssBytes: number
  readonly statements: Readonly<Record<Kind, number>>
}

type Kind = 'reads' | 'writes' | 'questions'

const statements: Record<Kind, number> = { reads: 0, writes: 0, questions: 0 }

// A worker's channel leads to its supervisor, who has other questions.
if (cluster.isPrimary) {
  process.on('message', (question: Question) => {
    if (question === 'count statements') countStatements()
    const { user, system } = process.cpuUsage()
    const usage: Usage = { cpuMicros: user + system, rssBytes: process.memoryUsage.rss(), statements: { ...statements } }
    process.send?.(usage)
  })
  // No server outlives the benchmark, however that ends.
  process.on('disconnect', () => process.exit())
  // The channel keeps no server open that wants to end.
  process.channel?.unref()
}

/** Only where it is asked for: it costs time. `PRAGMA data_version`, the question whether another process has written, counts apart. */
function countStatements(): void {
  for (const verb of ['get', 'all', 'run'] as const) {
    const original: unknown = Reflect.get(StatementSync.prototype, verb)
    if (typeof original !== 'function') continue
    Object.defineProperty(StatementSync.prototype, verb, {
      value(this: StatementSync, ...args: unknown[]) {
        statements[kindOf(this.sourceSQL)]++
        return Reflect.apply(original, this, args)
      },
    })
  }
}

function kindOf(sql: string): Kind {
  if (/^\s*pragma data_version/i.test(sql)) return 'questions'
  return /^\s*(?:select|pragma)\b/i.test(sql) ? 'reads' : 'writes'
}
