// Asks for confirmation before an act that cannot be undone; scripts confirm by a flag.
import { createInterface } from 'node:readline/promises'
import { CommandError, INTERRUPTED, UsageError } from './terminal.ts'

/** Resolves if the answer is yes; throws otherwise, and if there is no terminal. */
export async function confirm(question: string, flag: string): Promise<void> {
  if (!process.stdin.isTTY) throw new UsageError(`This is no terminal to ask in. Say ${flag} to go on without a question.`)
  const terminal = createInterface({ input: process.stdin, output: process.stderr })
  try {
    const answer = await terminal.question(`${question} (y/n) `)
    if (!/^\s*y(?:es)?\s*$/i.test(answer)) throw new CommandError(INTERRUPTED)
  } finally {
    terminal.close()
  }
}
