// Reads options as running code has them: what is refused, warned about, or not given.
import { inspect } from '../domain/inspect.ts'
import { suggestName } from '../domain/typo.ts'

/** Null means that an option is not given; an empty text, that its variable is not set. */
export function ifGiven<T>(value: T): Exclude<T, null | ''> | undefined {
  return value === null || value === '' ? undefined : (value as Exclude<T, null | ''>)
}

export class OptionReader {
  /** What no browser keeps and no store can do. */
  readonly faults: string[] = []
  /** What express-session accepts silently. */
  readonly warnings: string[] = []

  readonly must = (holds: boolean, rule: string, got: unknown): void => {
    if (!holds) this.faults.push(`${rule}, got ${inspect(got)}`)
  }

  /** True or false; other values count by whether they are truthy, as in express-session. */
  flag(name: string, value: unknown, byDefault: boolean): boolean {
    const flag = ifGiven(value) ?? byDefault
    if (typeof flag !== 'boolean')
      this.warnings.push(`${name} must be true or false, got ${inspect(flag)}: taken as ${Boolean(flag)}`)
    return Boolean(flag)
  }

  /** The same, but undefined if it is not given. */
  optionalFlag(name: string, value: unknown): boolean | undefined {
    const flag = ifGiven(value)
    if (flag === undefined || typeof flag === 'boolean') return flag
    this.warnings.push(`${name} must be true or false, got ${inspect(flag)}: taken as not given`)
    return undefined
  }

  /** Warns of unknown names; `all` are the full names that may have been meant. */
  names(prefix: string, options: object, all: readonly string[]): void {
    for (const key of Object.keys(options)) {
      const name = `${prefix}${key}`
      if (all.includes(name)) continue
      const suggestion = suggestName(key, all)
      this.warnings.push(
        `there is no option ${name}: ${suggestion === undefined ? 'it does nothing' : `is ${suggestion} meant?`}`,
      )
    }
  }
}
