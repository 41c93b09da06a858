// Holds the options of a membership to their table and makes the settings. All faults at once.

import { isLoopback } from '../domain/address.ts'
import { parseDuration } from '../domain/duration.ts'
import { readSmtpUrl } from '../mail/smtp-url.ts'
import { asList, type Checked, type Collector, checkValues, createCollector, type Given, refuseUnsafe } from './kit.ts'
import type { MailSettings, MembershipOptions, OptionsByPath, Settings } from './options.ts'
import { SETTINGS } from './table.ts'

type Values = Checked<OptionsByPath, typeof SETTINGS>

/** The options as settings, and every fault with what to write instead, never a value that may be secret. `own`: options that the caller judges. */
export function settingsFrom(
  options: MembershipOptions,
  own: readonly string[] = [],
): { readonly settings: Settings; readonly faults: string[] } {
  const collector = createCollector((path) => path)
  const given = readGiven(options, own, collector)
  const values = checkSettings(given, collector, { showValues: true })
  return { settings: settingsOf(values), faults: collector.faults }
}

/** What is wrong with one setting alone, in production, and with settings that do not fit each other. */
export function checkSettings(given: Given, collector: Collector, { showValues }: { readonly showValues: boolean }): Values {
  const values = checkValues<OptionsByPath, typeof SETTINGS>(SETTINGS, given, collector, { showValues })
  const { nameOf } = collector
  if (isProduction(values)) {
    refuseUnsafe(SETTINGS, values, collector)
    if (values.baseUrl?.startsWith('http:') && !values.insecureHttp)
      collector.add(
        'baseUrl',
        `must begin with https: in production (${nameOf('insecureHttp')} allows http, and everybody on the way then reads passwords and cookies)`,
      )
  }
  checkMail(values, given, collector)
  const checkOrder = (idle: keyof OptionsByPath & `session.${string}`, absolute: keyof OptionsByPath & `session.${string}`) => {
    if (collector.has(idle) || collector.has(absolute) || msOf(values[idle]) <= msOf(values[absolute])) return
    const limit = given.has(absolute) ? '' : `, which is ${String(values[absolute])} where nothing is set`
    collector.add(idle, `must not be longer than ${nameOf(absolute)}${limit}`)
  }
  checkOrder('session.idleTimeout', 'session.absoluteTimeout')
  checkOrder('session.rememberIdleTimeout', 'session.rememberAbsoluteTimeout')
  return values
}

function checkMail(values: Values, given: Given, collector: Collector): void {
  const { nameOf } = collector
  const [url, mailer] = [given.has('mail.url'), given.has('mail.mailer')]
  if (url && mailer) collector.add('mail.mailer', `stands in the place of ${nameOf('mail.url')}: set one of them`)
  const isSetUp = url || mailer
  if (isSetUp && !given.has('mail.from'))
    collector.add(
      'mail.from',
      "is required where mails are sent: write the address that they come from, like 'noreply@example.org'",
    )
  if (values.email === 'required' && !isSetUp && isProduction(values))
    collector.add('email', `must not be required without ${nameOf('mail.url')}: nobody could prove an address`)
}

/** Options, and those in groups, by their place. */
function readGiven(options: object, own: readonly string[], collector: Collector): Given {
  const given: Given = new Map()
  const groups = ['session', 'cookie', 'passwords', 'mail']
  const take = (prefix: string, from: object) => {
    const known = Object.keys(SETTINGS).filter((path) => path.startsWith(prefix) && (prefix !== '' || !path.includes('.')))
    const names = known.map((path) => path.slice(prefix.length))
    refuseUnknown(prefix, from, prefix === '' ? [...names, ...groups, ...own] : names, (fault) => collector.faults.push(fault))
    for (const name of names) {
      const value: unknown = Reflect.get(from, name)
      if (value !== undefined) given.set(prefix + name, value)
    }
  }
  take('', options)
  for (const group of groups) {
    const value: unknown = Reflect.get(options, group)
    if (isGroup(value)) {
      take(`${group}.`, value)
      if (group === 'mail' && !given.has('mail.url') && !given.has('mail.mailer'))
        collector.add(group, 'must have a url or a mailer')
    } else if (value !== undefined) collector.add(group, 'must be an object of options')
  }
  return given
}

/** Whether it can hold options. */
export function isGroup(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

export function refuseUnknown(where: string, given: object, known: readonly string[], fault: (text: string) => void): void {
  for (const name of Object.keys(given)) {
    if (!known.includes(name)) fault(`there is no option ${where}${name}; known are ${known.join(', ')}`)
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
    email: values.email ?? (mail === undefined ? 'off' : 'optional'),
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
