// The schema of a table of settings, and the checks of values and variables by it.
import { inspect } from 'node:util'
import { type Duration, parseDuration } from '../domain/duration.ts'

/** One setting. Its meaning is documented in the interface of the options. */
export interface Setting<Value> {
  readonly kind: Kind<Value>
  /** Its environment variable, if it has one. */
  readonly env?: string
  readonly default?: Value
  readonly isRequired?: true
  /** Its value is never printed, neither in faults nor in logs. */
  readonly isSecret?: true
  /** What production refuses. `rule` follows the name: `must be on in production`. */
  readonly production?: { readonly rule: string; refuses(value: Value | undefined): boolean }
  /** The description of the variable in `.env.example` and the docs. Default: the option's own comment. */
  readonly about?: string
  /** The value that is shown there. Default: the default of the setting. */
  readonly example?: string
  /** The question of `guildhall init`. */
  readonly question?: string
}

export interface Kind<Value> {
  /** What to write. It follows the name: `must be on or off`. */
  readonly rule: string
  readonly accepts: (value: unknown) => value is Value
  /** Parses the text of a variable, for `accepts` to check. Default: the text itself. */
  readonly parse?: (text: string) => unknown
}

/** A row for each option. */
export type Table<Options> = { readonly [Path in keyof Options]-?: Setting<Exclude<Options[Path], undefined>> }

export type Rows = Readonly<Record<string, Setting<unknown>>>

/** Unchecked values by the path of the option: `'passwords.minLength'`. */
export type RawValues = Map<string, unknown>

/** Checked values: a setting with a default has a value. */
export type Checked<Options, T extends Rows> = {
  readonly [Path in keyof Options]-?: T[Path & string] extends { readonly default: unknown }
    ? Exclude<Options[Path], undefined>
    : Exclude<Options[Path], undefined> | undefined
}

/** Collects faults, so that all of them are reported at once. */
export interface Collector {
  readonly faults: string[]
  /** The name of a setting in its source: the option or the variable. */
  readonly nameOf: (path: string) => string
  add(path: string, rule: string): void
  has(path: string): boolean
}

export function createCollector(nameOf: (path: string) => string, before: readonly string[] = []): Collector {
  const faults = [...before]
  const paths = new Set<string>()
  return {
    faults,
    nameOf,
    has: (path) => paths.has(path),
    add(path, rule) {
      paths.add(path)
      faults.push(`${nameOf(path)} ${rule}`)
    },
  }
}

/** The values of the variables that are set. */
export function readVariables(rows: Rows, variables: ReadonlyMap<string, string>): RawValues {
  const raw: RawValues = new Map()
  for (const [path, { env = '', kind }] of Object.entries(rows)) {
    const text = variables.get(env)
    if (text !== undefined) raw.set(path, kind.parse ? kind.parse(text) : text)
  }
  return raw
}

/** Checks the values and adds the defaults. A value with a fault counts as not set. */
export function checkValues<Options extends object, T extends Rows>(
  rows: T & Table<Options>,
  raw: RawValues,
  collector: Collector,
  { showValues }: { readonly showValues: boolean },
): Checked<Options, T> {
  const values: Record<string, unknown> = {}
  for (const [path, row] of Object.entries<Setting<unknown>>(rows)) {
    const value = raw.get(path)
    const fits = value !== undefined && row.kind.accepts(value)
    values[path] = fits ? value : row.default
    if (fits || (value === undefined && !row.isRequired)) continue
    const isShown = showValues && !row.isSecret && isHarmless(value)
    collector.add(path, isShown ? `${row.kind.rule}, got ${inspect(value)}` : row.kind.rule)
  }
  // Each value was accepted by its row.
  return values as Checked<Options, T>
}

/** Whether a fault may show the value: an object may contain keys, and a URL a password before its @. */
function isHarmless(value: unknown): boolean {
  return asList(value).every((item) => typeof item === 'number' || (typeof item === 'string' && !item.includes('@')))
}

/** Refuses what is unsafe in production. */
export function refuseUnsafe(rows: Rows, values: Readonly<Record<string, unknown>>, collector: Collector): void {
  for (const [path, { production }] of Object.entries(rows))
    if (production?.refuses(values[path]) && !collector.has(path)) collector.add(path, production.rule)
}

export function kind<Value>(rule: string, accepts: (value: unknown) => value is Value): Kind<Value> {
  return { rule, accepts }
}

export function text(rule: string, accepts: (text: string) => boolean): Kind<string> {
  return { rule, accepts: (value): value is string => typeof value === 'string' && accepts(value) }
}

export function choice<Choice extends string>(choices: readonly Choice[]): Kind<Choice> {
  return {
    rule: `must be one of ${choices.join(', ')}`,
    accepts: (value): value is Choice => choices.some((known) => known === value),
  }
}

export function whole(min: number, max: number): Kind<number> {
  return {
    rule: `must be a whole number from ${min} to ${max}`,
    accepts: (value): value is number => typeof value === 'number' && Number.isInteger(value) && value >= min && value <= max,
    parse: (written) => (/^\d{1,9}$/.test(written) ? Number(written) : written),
  }
}

const ON_OFF: Readonly<Record<string, boolean>> = { on: true, true: true, 1: true, off: false, false: false, 0: false }

export const onOff: Kind<boolean> = {
  rule: 'must be on or off (in code: true or false)',
  accepts: (value) => typeof value === 'boolean',
  parse: (written) => ON_OFF[written.toLowerCase()] ?? written,
}

export function duration({ max }: { readonly max?: Duration } = {}): Kind<Duration> {
  const longest = (max && parseDuration(max)) ?? Number.POSITIVE_INFINITY
  return {
    rule: `must be a duration like '15m', '12h' or '30d'${max === undefined ? '' : `, at most ${max}`}`,
    accepts: (value): value is Duration => {
      const ms = typeof value === 'string' ? parseDuration(value) : undefined
      return ms !== undefined && ms <= longest
    },
  }
}

/** A list of texts, separated by commas in a variable; a single text is a list of one. */
export function list(rule: string, accepts: (item: string) => boolean): Kind<readonly string[]> {
  return {
    rule,
    accepts: (value): value is readonly string[] => asList(value).every((item) => typeof item === 'string' && accepts(item)),
    parse: splitList,
  }
}

export function splitList(written: string): readonly string[] {
  return written
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '')
}

export function asList<Item>(value: Item | readonly Item[] | undefined): readonly Item[] {
  if (value === undefined) return []
  return isList(value) ? value : [value]
}

function isList<Item>(value: Item | readonly Item[]): value is readonly Item[] {
  return Array.isArray(value)
}
