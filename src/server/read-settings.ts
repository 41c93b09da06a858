// Turns the text of one setting into its value. What does not fit becomes a fault that says what to write; never the value, it may be secret.
import { isIP } from 'node:net'
import { type Duration, parseDuration } from '../domain/duration.ts'
import type { Diagnostic, Note, SettingText } from './diagnostic.ts'
import type { Variable } from './variables.ts'

export interface SettingsReader {
  text(name: Variable): string | undefined
  /** Parts between commas, without space around them. */
  list(name: Variable): readonly string[]
  onOff(name: Variable): boolean | undefined
  whole(name: Variable, least: number, most: number): number | undefined
  choice<Choice extends string>(name: Variable, choices: readonly Choice[]): Choice | undefined
  duration(name: Variable): Duration | undefined
  trustedProxies(name: Variable): TrustProxy | undefined
}

/** As Express takes it: a number of hops, or addresses and subnets. */
export type TrustProxy = number | readonly string[]

const ON_OFF: ReadonlyMap<string, boolean> = new Map([
  ['on', true],
  ['true', true],
  ['1', true],
  ['off', false],
  ['false', false],
  ['0', false],
])

const MOST_HOPS = 16
const NAMED_SUBNETS = new Set(['loopback', 'linklocal', 'uniquelocal'])

export function settingsReader(values: ReadonlyMap<Variable, string>, fault: Note): SettingsReader {
  const wrong = (name: Variable, key: SettingText, limits: Diagnostic['values'] = {}) => {
    fault(key, { name, ...limits })
    return undefined
  }
  const text = (name: Variable) => values.get(name)
  const list = (name: Variable) => splitList(values.get(name) ?? '')

  return {
    text,
    list,
    onOff(name) {
      const given = text(name)?.toLowerCase()
      return given === undefined ? undefined : (ON_OFF.get(given) ?? wrong(name, 'setting.on_off'))
    },
    whole(name, least, most) {
      const given = text(name)
      if (given === undefined) return undefined
      const number = /^\d{1,9}$/.test(given) ? Number(given) : Number.NaN
      return number >= least && number <= most
        ? number
        : wrong(name, 'setting.whole', { least: String(least), most: String(most) })
    },
    choice(name, choices) {
      const given = text(name)
      if (given === undefined) return undefined
      return choices.find((choice) => choice === given) ?? wrong(name, 'setting.choice', { choices: choices.join(', ') })
    },
    duration(name) {
      const given = text(name)
      if (given === undefined) return undefined
      return isDuration(given) ? given : wrong(name, 'setting.duration')
    },
    trustedProxies(name) {
      const given = text(name)
      if (given === undefined) return undefined
      if (/^\d+$/.test(given))
        return Number(given) <= MOST_HOPS ? Number(given) : wrong(name, 'setting.hops', { most: String(MOST_HOPS) })
      const subnets = list(name)
      // `true` would believe every visitor's own X-Forwarded-For.
      if (subnets.length > 0 && subnets.every(isSubnet)) return subnets
      return wrong(name, 'setting.proxies')
    },
  }
}

export function splitList(text: string): readonly string[] {
  return text
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '')
}

function isDuration(text: string): text is Duration {
  return parseDuration(text) !== undefined
}

/** A subnet of length 0 is everybody. */
function isSubnet(text: string): boolean {
  if (NAMED_SUBNETS.has(text)) return true
  const [address = '', length, ...more] = text.split('/')
  const version = isIP(address)
  if (version === 0 || more.length > 0) return false
  if (length === undefined) return true
  return /^\d{1,3}$/.test(length) && Number(length) >= 1 && Number(length) <= (version === 4 ? 32 : 128)
}
