// The only reader of process.env: the real environment, `.env` below it, and `NAME_FILE`.
import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { parseEnv } from 'node:util'
import { isVariable, suggestVariable } from './variable-names.ts'

export interface Environment {
  /** What is set. A blank value counts as not set: Compose files write it so. */
  readonly values: ReadonlyMap<string, string>
  readonly sources: ReadonlyMap<string, Source>
  readonly faults: readonly string[]
  readonly warnings: readonly string[]
  /** The `.env` that was read. */
  readonly file: string | undefined
}

/** Where a setting came from; `file`: the variable that named the file, such as `SECRET_FILE`. */
export type Source = 'environment' | '.env' | { readonly file: string }

type Values = Readonly<Record<string, string | undefined>>

export function readEnvironment(): Environment {
  return mergeEnvironment(process.env, process.cwd())
}

/** A variable of another program, or one between processes of ours. */
export function readRawVariable(name: string): string | undefined {
  return process.env[name]
}

/** The same for a given environment and folder; the real environment wins over `.env`. */
export function mergeEnvironment(real: Values, folder: string): Environment {
  const values = new Map<string, string>()
  const sources = new Map<string, Source>()
  const faults: string[] = []
  const warnings: string[] = []
  const fault = (text: string) => void faults.push(text)
  const path = resolve(folder, '.env')
  const dotEnv = readDotEnv(path, fault)

  const take = (from: Values, where: Source) => {
    const taken = new Set<string>()
    for (const [name, value] of Object.entries(from)) {
      if (value === undefined || value === '') continue
      const variable = settingOf(name)
      if (variable === undefined || (values.has(variable) && !taken.has(variable))) continue
      if (taken.has(variable)) fault(`${variable} and ${variable}_FILE are both set: keep one of them`)
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
    const meant = suggestVariable(name)
    if (meant) warnings.push(`${name} is not a setting: ${meant} is`)
  }
  for (const name of Object.keys(dotEnv ?? {})) {
    if (settingOf(name) !== undefined || name in real) continue
    const meant = suggestVariable(name)
    warnings.push(meant ? `${name} in .env is not a setting: ${meant} is` : `${name} in .env is none of our settings`)
  }
  return { values, sources, faults, warnings, file: dotEnv && path }
}

/** `SECRET` and `SECRET_FILE` are both the setting SECRET. */
function settingOf(name: string): string | undefined {
  if (isVariable(name)) return name
  const bare = name.endsWith('_FILE') ? name.slice(0, -'_FILE'.length) : ''
  return isVariable(bare) ? bare : undefined
}

function readDotEnv(path: string, fault: (text: string) => void): Values | undefined {
  const text = readText(path)
  if (text === 'missing') return undefined
  if (text === 'unreadable') fault('.env cannot be read: give this user the right to, or take it away')
  else if (text === 'undecodable') fault('.env is not written in UTF-8: save it anew as that')
  else return parseEnv(text.text)
  return undefined
}

type Text = { readonly text: string } | 'missing' | 'unreadable' | 'undecodable'

/** A byte order mark, which some editors write, belongs to no value. */
function readText(path: string): Text {
  let bytes: Buffer
  try {
    bytes = readFileSync(path)
  } catch (error) {
    return isMissing(error) ? 'missing' : 'unreadable'
  }
  const byteOrderMark = bytes.toString('hex', 0, 2)
  const encoding = byteOrderMark === 'fffe' ? 'utf-16le' : byteOrderMark === 'feff' ? 'utf-16be' : 'utf-8'
  try {
    const text = new TextDecoder(encoding, { fatal: true }).decode(bytes)
    // UTF-16 without a byte order mark.
    return text.includes('\0') ? 'undecodable' : { text }
  } catch {
    return 'undecodable'
  }
}

/** Editors and `echo` end a file with a line break that is not part of the value. */
function readValue(path: string, name: string, fault: (text: string) => void): string | undefined {
  const text = readText(path)
  if (typeof text !== 'string') return text.text.replace(/\r?\n$/, '')
  if (text === 'undecodable') fault(`${name} names a file that is not written in UTF-8: save it anew as that`)
  else fault(`${name} names a file that cannot be read: write the path of a file that this user may read`)
  return undefined
}

export function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT'
}
