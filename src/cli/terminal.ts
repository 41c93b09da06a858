// The output of commands: results on stdout, errors on stderr, exit codes; in English.
import { existsSync } from 'node:fs'
import { MembershipError } from '../domain/errors.ts'
import { printable } from '../domain/printable.ts'
import { errorTexts, fieldText } from '../i18n/messages.ts'
import { translator } from '../i18n/translate.ts'
import { ConfigError } from '../server/config.ts'
import { explainFailure, type NamedSettings } from '../server/explain-failure.ts'

export const FAILURE = 1
export const WRONG_USAGE = 2

/** `--json`: output for programs. */
export interface Json {
  readonly json?: boolean
}

/** For dates, and the texts of refusals. */
export const english = translator('en')

/** A mistake of the caller; the message can be printed. */
export class UsageError extends Error {
  override readonly name = 'UsageError'
}

/** The command failed; the message can be printed. */
export class CommandError extends Error {
  override readonly name = 'CommandError'
}

export const INTERRUPTED = 'Stopped. Nothing was changed.'

export const IN_MEMORY = 'The database is in memory, where nobody but the server sees it. Write a DATABASE_URL with a file.'

export function refuseMissing(file: string | undefined): void {
  if (file !== undefined && !existsSync(file))
    throw new CommandError(`There is no database at ${file} yet. The command migrate makes one, and so does serve.`)
}

export function print(text: string): void {
  process.stdout.write(`${printable(text)}\n`)
}

export function printJson(value: unknown): void {
  print(JSON.stringify(value, undefined, 2))
}

export function printError(text: string): void {
  process.stderr.write(`${printable(text)}\n`)
}

/** `plural(2, 'session')` is `2 sessions`. */
export function plural(count: number, noun: string, nouns = `${noun}s`): string {
  return `${count} ${count === 1 ? noun : nouns}`
}

/** Prints why a command failed, and sets the exit code. Only bugs have a stack. */
export async function report(error: unknown, config?: NamedSettings): Promise<void> {
  process.exitCode = error instanceof UsageError ? WRONG_USAGE : FAILURE
  if (error instanceof UsageError || error instanceof CommandError) return printError(error.message)
  if (error instanceof MembershipError) return printError(explainRefusal(error))
  if (error instanceof ConfigError) return printError(listFaults(error))
  const known = explainFailure(error, config)
  if (known !== undefined) return printError(known)
  printError('This is a mistake in Guildhall, not yours. Please report it with these lines:')
  printError(error instanceof Error ? (error.stack ?? error.message) : String(error))
}

function listFaults({ faults, warnings }: ConfigError): string {
  const title = faults.length === 1 ? 'One setting needs another look:' : `${faults.length} settings need another look:`
  return [title, ...faults.map((fault) => `  ${fault}`), ...warnings].join('\n')
}

function explainRefusal(error: MembershipError): string {
  if (error.code === 'not_found') return 'Nobody has that username. Nothing was changed.'
  if (error.errors.length === 0) return errorTexts(english, error.code).detail
  return error.errors.map((wrong) => `${LABELS[wrong.field] ?? wrong.field}: ${fieldText(english, wrong)}`).join('\n')
}

const LABELS: Readonly<Record<string, string>> = {
  username: 'Username',
  displayName: 'Display name',
  password: 'Password',
  roles: 'Role',
}
