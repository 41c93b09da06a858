// Asks before something that cannot be taken back. A script says yes with a flag.
import { createInterface } from 'node:readline/promises'
import { CommandError, INTERRUPTED, UsageError } from './terminal.ts'

/** Goes on where the answer is yes; throws otherwise, and where there is nobody to ask. */
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
