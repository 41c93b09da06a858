// Checks the options of a membership and makes the settings. Reports all faults at once.

import { isLoopback } from '../domain/address.ts'
import { parseDuration } from '../domain/duration.ts'
import { suggestName } from '../domain/typo.ts'
import { readSmtpUrl } from '../mail/smtp-url.ts'
import type { MailSettings, MembershipOptions, OptionsByPath, Settings } from './options.ts'
import { asList, type Checked, type Collector, checkValues, createCollector, type RawValues, refuseUnsafe } from './schema.ts'
import { SETTINGS } from './table.ts'

type Values = Checked<OptionsByPath, typeof SETTINGS>

/**
 * The settings, and every fault with what to write instead, never with a secret value. `checkedElsewhere`: options that the caller checks.
 */
export function settingsFrom(
  options: MembershipOptions,
  checkedElsewhere: readonly string[] = [],
): { readonly settings: Settings; readonly faults: string[] } {
  const collector = createCollector((path) => path)
  const raw = readRaw(options, checkedElsewhere, collector)
  const values = checkSettings(raw, collector, { showValues: true })
  return { settings: settingsOf(values), faults: collector.faults }
}

/** Checks each setting by itself, the rules of production, and settings that depend on each other. */
export function checkSettings(raw: RawValues, collector: Collector, { showValues }: { readonly showValues: boolean }): Values {
  const values = checkValues<OptionsByPath, typeof SETTINGS>(SETTINGS, raw, collector, { showValues })
  const { nameOf } = collector
  if (isProduction(values)) {
    refuseUnsafe(SETTINGS, values, collector)
    if (values.baseUrl?.startsWith('http:') && !values.insecureHttp)
      collector.add(
        'baseUrl',
        `must begin with https: in production (${nameOf('insecureHttp')} allows http, and everybody on the way then reads passwords and cookies)`,
      )
  }
  checkMail(values, raw, collector)
  const checkOrder = (idle: keyof OptionsByPath & `session.${string}`, absolute: keyof OptionsByPath & `session.${string}`) => {
    if (collector.has(idle) || collector.has(absolute) || msOf(values[idle]) <= msOf(values[absolute])) return
    const limit = raw.has(absolute) ? '' : `, which is ${String(values[absolute])} by default`
    collector.add(idle, `must not be longer than ${nameOf(absolute)}${limit}`)
  }
  checkOrder('session.idleTimeout', 'session.absoluteTimeout')
  checkOrder('session.rememberIdleTimeout', 'session.rememberAbsoluteTimeout')
  return values
}

function checkMail(values: Values, raw: RawValues, collector: Collector): void {
  const { nameOf } = collector
  const [url, mailer] = [raw.has('mail.url'), raw.has('mail.mailer')]
  if (url && mailer) collector.add('mail.mailer', `stands in the place of ${nameOf('mail.url')}: set one of them`)
  const isSetUp = url || mailer
  if (isSetUp && !raw.has('mail.from'))
    collector.add(
      'mail.from',
      "is required where mails are sent: write the address that they come from, like 'noreply@example.org'",
    )
  if (values.email === 'required' && !isSetUp && isProduction(values))
    collector.add('email', `must not be required without ${nameOf('mail.url')}: nobody could prove an address`)
}

/** The values of the options by path, those of groups included. */
function readRaw(options: object, checkedElsewhere: readonly string[], collector: Collector): RawValues {
  const raw: RawValues = new Map()
  const groups = ['session', 'cookie', 'passwords', 'mail']
  const take = (prefix: string, from: object) => {
    const known = Object.keys(SETTINGS).filter((path) => path.startsWith(prefix) && (prefix !== '' || !path.includes('.')))
    const names = known.map((path) => path.slice(prefix.length))
    const all = [...Object.keys(SETTINGS), ...groups, ...checkedElsewhere]
    const fault = (text: string) => collector.faults.push(text)
    refuseUnknown(prefix, from, prefix === '' ? [...names, ...groups, ...checkedElsewhere] : names, fault, all)
    for (const name of names) {
      const value: unknown = Reflect.get(from, name)
      if (value !== undefined) raw.set(prefix + name, value)
    }
  }
  take('', options)
  for (const group of groups) {
    const value: unknown = Reflect.get(options, group)
    if (isGroup(value)) {
      take(`${group}.`, value)
      if (group === 'mail' && !raw.has('mail.url') && !raw.has('mail.mailer')) collector.add(group, 'must have a url or a mailer')
    } else if (value !== undefined) collector.add(group, 'must be an object of options')
  }
  return raw
}

/** Whether a value can be a group of options. */
export function isGroup(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** `known`: the names in this group. `all`: full names, from which one is suggested. */
export function refuseUnknown(
  where: string,
  options: object,
  known: readonly string[],
  fault: (text: string) => void,
  all: readonly string[] = known.map((name) => where + name),
): void {
  for (const name of Object.keys(options)) {
    if (known.includes(name)) continue
    const suggestion = suggestName(name, all)
    fault(
      `there is no option ${where}${name}${suggestion === undefined ? `; known are ${known.join(', ')}` : `: is ${suggestion} meant?`}`,
    )
  }
}

function isProduction({ production, baseUrl }: Pick<Values, 'production' | 'baseUrl'>): boolean {
  return production ?? !isLoopback(baseUrl === undefined ? 'localhost' : new URL(baseUrl).hostname)
}

function settingsOf(values: Values): Settings {
  const baseUrl = new URL(values.baseUrl ?? 'http://localhost')
  const mail = mailOf(values)
  return {
    baseUrl,
    database: values.database ?? '',
    redis: values.redis === undefined ? undefined : { client: values.redis, prefix: values.redisPrefix },
    path: values.path,
    secrets: asList(values.secret),
    siteName: values.siteName,
    styleSheet: values.styleSheet,
    production: isProduction(values),
    session: {
      idleMs: msOf(values['session.idleTimeout']),
      absoluteMs: msOf(values['session.absoluteTimeout']),
    },
    remember: {
      idleMs: msOf(values['session.rememberIdleTimeout']),
      absoluteMs: msOf(values['session.rememberAbsoluteTimeout']),
    },
    keepAtLogin: values['session.keepAtLogin'],
    cookie: { name: values['cookie.name'], sameSite: values['cookie.sameSite'], secure: baseUrl.protocol === 'https:' },
    passwords: {
      hash: values['passwords.hash'],
      minLength: values['passwords.minLength'],
      peppers: asList(values['passwords.pepper']),
      memoryKiB: values['passwords.memoryKiB'],
      passes: values['passwords.passes'],
      bcryptCost: values['passwords.bcryptCost'],
      workers: values['passwords.workers'],
      queueLimit: values['passwords.queueLimit'],
    },
    registration: values.registration,
    registrationsPerHour: values.registrationsPerHour,
    rateLimit: values.rateLimit,
    trustedOrigins: asList(values.trustedOrigins),
    mail,
    // Without mail nobody could prove an address.
    email: mail === undefined ? 'off' : (values.email ?? 'optional'),
    strictOrigin: values.strictOrigin,
    locale: values.locale,
    hooks: values.hooks ?? {},
    logger: values.logger,
    clock: values.clock,
  }
}

function mailOf(values: Values): MailSettings | undefined {
  const by = values['mail.mailer'] ?? readSmtpUrl(values['mail.url'] ?? '') ?? (isProduction(values) ? undefined : 'console')
  return by && { by, from: { name: values.siteName, address: values['mail.from'] ?? 'noreply@localhost' } }
}

function msOf(duration: unknown): number {
  return (typeof duration === 'string' ? parseDuration(duration) : undefined) ?? 0
}
