// Asks before something that cannot be taken back. A script says yes with a flag.
import { createInterface } from 'node:readline/promises'
import { CommandFailed, t, UsageError } from './terminal.ts'

/** Goes on where the answer is yes; throws otherwise, and where there is nobody to ask. */
export async function confirm(question: string, flag: string): Promise<void> {
  if (!process.stdin.isTTY) throw new UsageError(t('cli.confirm_needs_terminal', { flag }))
  const terminal = createInterface({ input: process.stdin, output: process.stderr })
  try {
    const answer = await terminal.question(`${question} ${t('cli.yes_or_no')} `)
    if (!t('cli.yes_answers').split(' ').includes(answer.trim().toLowerCase())) throw new CommandFailed(t('cli.interrupted'))
  } finally {
    terminal.close()
  }
}
