// The only reader of process.env: the real environment, `.env` below it, and `NAME_FILE` for each of our settings.
import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { parseEnv } from 'node:util'
import { type Diagnostic, type Note, noteIn } from './diagnostic.ts'
import { isVariable, nearMiss, type Variable } from './variables.ts'

export interface Environment {
  /** What is set. A blank value counts as not set: that is how compose files write it. */
  readonly values: ReadonlyMap<Variable, string>
  readonly sources: ReadonlyMap<Variable, Source>
  readonly faults: readonly Diagnostic[]
  readonly warnings: readonly Diagnostic[]
  /** The `.env` that was read. */
  readonly file: string | undefined
}

/** Where a setting came from; `file`: the variable that named the file, `SECRET_FILE`. */
export type Source = 'environment' | '.env' | { readonly file: string }

type Values = Readonly<Record<string, string | undefined>>

export function readEnvironment(): Environment {
  return mergeEnvironment(process.env, process.cwd())
}

/** Which worker of a supervisor this process is. */
export interface WorkerPlace {
  /** From 1. */
  readonly number: number
  /** Where other workers have opened; undefined for the first of all. */
  readonly port: number | undefined
}

const WORKER_NUMBER = 'GUILDHALL_WORKER'
const WORKER_PORT = 'GUILDHALL_WORKER_PORT'

/** The variables by which a supervisor tells a worker its place. */
export function writeWorkerPlace({ number, port }: WorkerPlace): Readonly<Record<string, string>> {
  return { [WORKER_NUMBER]: String(number), ...(port !== undefined && { [WORKER_PORT]: String(port) }) }
}

/** Undefined where this process is no worker. */
export function readWorkerPlace(): WorkerPlace | undefined {
  const number = Number(process.env[WORKER_NUMBER])
  if (!process.connected || !(number > 0)) return undefined
  return { number, port: Number(process.env[WORKER_PORT]) || undefined }
}

/**
 * The languages of the terminal as tags, the most wanted first: `zh_TW.UTF-8` is `zh-TW`. The order is that of gettext:
 * LANGUAGE, a list, then the first of LC_ALL, LC_MESSAGES and LANG that is set. `C` and `POSIX` name no language.
 * https://www.gnu.org/software/gettext/manual/html_node/Locale-Environment-Variables.html
 */
export function readTerminalLanguages(): readonly string[] {
  const { LANGUAGE, LC_ALL, LC_MESSAGES, LANG } = process.env
  const names = [...(LANGUAGE ?? '').split(':'), LC_ALL || LC_MESSAGES || LANG || '']
  return names.map((name) => name.replace(/[.@].*$/, '').replaceAll('_', '-')).filter((tag) => !/^(?:C|POSIX|)$/.test(tag))
}

/** The same for an environment and a folder at hand; the real environment wins over `.env`. */
export function mergeEnvironment(real: Values, folder: string): Environment {
  const values = new Map<Variable, string>()
  const sources = new Map<Variable, Source>()
  const faults: Diagnostic[] = []
  const warnings: Diagnostic[] = []
  const fault = noteIn(faults)
  const warn = noteIn(warnings)
  const path = resolve(folder, '.env')
  const dotEnv = readDotEnv(path, fault)

  const take = (from: Values, where: Source) => {
    const taken = new Set<Variable>()
    for (const [name, value] of Object.entries(from)) {
      if (value === undefined || value === '') continue
      const variable = variableOf(name)
      if (variable === undefined || (values.has(variable) && !taken.has(variable))) continue
      if (taken.has(variable)) fault('setting.twice', { name: variable })
      taken.add(variable)
      const isFile = name !== variable
      const text = isFile ? readValue(resolve(folder, value), name, fault) : value
      if (text === undefined) continue
      values.set(variable, text)
      sources.set(variable, isFile ? { file: name } : where)
    }
  }
  take(real, 'environment')
  take(dotEnv ?? {}, '.env')

  for (const name of Object.keys(real)) {
    const meant = nearMiss(name)
    if (meant) warn('setting.misspelled', { name, meant })
  }
  for (const name of Object.keys(dotEnv ?? {})) {
    if (variableOf(name) !== undefined || name in real) continue
    const meant = nearMiss(name)
    if (meant) warn('setting.misspelled_in_file', { name, meant })
    else warn('setting.unknown_in_file', { name })
  }
  return { values, sources, faults, warnings, file: dotEnv && path }
}

/** `SECRET` and `SECRET_FILE` are both the setting SECRET. */
function variableOf(name: string): Variable | undefined {
  if (isVariable(name)) return name
  const bare = name.endsWith('_FILE') ? name.slice(0, -'_FILE'.length) : ''
  return isVariable(bare) ? bare : undefined
}

function readDotEnv(path: string, fault: Note): Values | undefined {
  try {
    return parseEnv(readFileSync(path, 'utf8'))
  } catch (error) {
    if (!isMissing(error)) fault('setting.dotenv_unreadable')
    return undefined
  }
}

/** Editors and `echo` end a file with a line break that nobody means. */
function readValue(path: string, name: string, fault: Note): string | undefined {
  try {
    return readFileSync(path, 'utf8').replace(/\r?\n$/, '')
  } catch {
    fault('setting.file_unreadable', { name })
    return undefined
  }
}

export function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT'
}
