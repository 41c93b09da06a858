// How the command line speaks: answers on stdout, troubles on stderr, each in the words of the catalogue.
import { MembershipError } from '../domain/errors.ts'
import { errorTexts, fieldText } from '../i18n/messages.ts'
import { pickLocale } from '../i18n/pick-locale.ts'
import { type Locale, translator } from '../i18n/translate.ts'
import { type Config, ConfigError } from '../server/config.ts'
import { readEnvironment, readTerminalLanguages } from '../server/env.ts'

export const FAILURE = 1
export const WRONG_USAGE = 2

/** The operator's language: the terminal's, else the site's. Lines of the log stay English, to be searched for. */
export const t = translator(pickLocale([], readTerminalLanguages().join(','), siteLocale()))

/** The caller's own mistake, in words that are fit to print. */
export class UsageError extends Error {
  override readonly name = 'UsageError'
}

/** The work could not be done, in words that are fit to print. */
export class CommandFailed extends Error {
  override readonly name = 'CommandFailed'
}

export function say(text: string): void {
  process.stdout.write(`${text}\n`)
}

export function sayJson(value: unknown): void {
  say(JSON.stringify(value, undefined, 2))
}

export function complain(text: string): void {
  process.stderr.write(`${text}\n`)
}

/** Prints why a command failed, and sets the exit code. A stack is shown for bugs alone. */
export async function report(error: unknown, config?: Pick<Config, 'port' | 'host' | 'databaseFile'>): Promise<void> {
  process.exitCode = error instanceof UsageError ? WRONG_USAGE : FAILURE
  if (error instanceof UsageError || error instanceof CommandFailed) return complain(error.message)
  if (error instanceof MembershipError) return complain(explain(error))
  if (error instanceof ConfigError) return complain(listFaults(error))
  const { explainFailure } = await import('../server/explain-failure.ts')
  const known = explainFailure(error, config, t)
  if (known !== undefined) return complain(known)
  complain(t('cli.bug'))
  complain(error instanceof Error ? (error.stack ?? error.message) : String(error))
}

function listFaults({ faults, warnings }: ConfigError): string {
  return [
    t.count('cli.faults', faults.length),
    ...faults.map(({ key, values }) => `  ${t(key, values)}`),
    ...warnings.map(({ key, values }) => t(key, values)),
  ].join('\n')
}

function explain(error: MembershipError): string {
  if (error.code === 'not_found') return t('cli.not_found')
  if (error.errors.length === 0) return errorTexts(t, error.code).detail
  return error.errors
    .map((wrong) => t('summary.item', { field: LABELS[wrong.field] ?? wrong.field, message: fieldText(t, wrong) }))
    .join('\n')
}

const LABELS: Readonly<Record<string, string>> = {
  username: t('label.username'),
  displayName: t('label.display_name'),
  password: t('label.password'),
  roles: t('cli.role'),
}

function siteLocale(): Locale {
  return pickLocale([readEnvironment().values.get('LOCALE')], undefined, 'en')
}
