// docs/options.md and .env.example: what the comments of the options and their tables say.
import { SERVER_SETTINGS } from '../../src/server/table.ts'
import type { Rows, Setting } from '../../src/settings/schema.ts'
import { SETTINGS } from '../../src/settings/table.ts'
import { type Member, membersOf } from './declarations.ts'
import { table } from './markdown.ts'

interface Sources {
  readonly options: string
  readonly sessionOptions: string
  readonly cookieOptions: string
  readonly serverOptions: string
}

export function optionsPage(sources: Sources): string {
  const all = membersOf(sources.options, 'MembershipOptions')
  const isGroup = ({ type }: Member) => GROUPS.has(type)
  const groups = all.filter(isGroup).map((group) => {
    return `### ${group.name}\n\n${optionTable(membersOf(sources.options, group.type), `${group.name}.`)}`
  })
  return [
    '# Settings',
    '`createMembership(options)` and `session(options)` take options; `guildhall serve` and the other commands take variables of the environment. Everything is checked at once, and every fault is told at once.',
    '## Options of createMembership',
    optionTable(
      all.filter((member) => !isGroup(member)),
      '',
    ),
    ...groups,
    '## Options of session',
    'Of `guildhall/session` alone, [the session middleware](features/sessions.md).',
    optionTable(membersOf(sources.sessionOptions, 'SessionOptions'), ''),
    '### cookie',
    optionTable(membersOf(sources.cookieOptions, 'CookieOptions'), 'cookie.'),
    '## Variables of the server',
    'Read from the environment and from `.env`; the real environment wins. Each can also be read from a file: `SECRET_FILE=/run/secrets/guildhall`. What is shown is the default, unless the text says that it is required or an example. `guildhall doctor` looks whether they fit together.',
    ...sectionsOf(sources).map(({ title, variables }) => {
      const rows = variables.map(({ name, value, text }) => [`\`${name}\``, value === '' ? 'none' : `\`${value}\``, text])
      return `### ${title}\n\n${table(['variable', 'value', 'meaning'], rows)}`
    }),
  ].join('\n\n')
}

/** Options that are made of options. */
const GROUPS = new Set(['SessionTimes', 'SessionCookieOptions', 'PasswordOptions', 'MailOptions'])

function optionTable(members: readonly Member[], prefix: string): string {
  return table(
    ['option', 'type', 'meaning', 'default', 'consequence'],
    members.map((member) => {
      const { meaning, otherwise, consequence } = explain(member, prefix)
      return [`\`${prefix}${member.name}\``, `\`${member.type.replace(/ \| undefined$/, '')}\``, meaning, otherwise, consequence]
    }),
  )
}

interface Explained {
  readonly meaning: string
  readonly otherwise: string
  readonly consequence: string
}

/** A doc comment says what the option means, `Default: ...` or `Required.`, and then what follows from it. */
function explain({ name, comment, isOptional }: Member, prefix: string): Explained {
  const [, meaning = '', otherwise = 'required', consequence = ''] =
    /^(.*?)(?: Required\.| Default: (.+?)(?:\.(?= |$)|$))(?: (.*))?$/.exec(comment) ?? []
  if (meaning === '' || isOptional === (otherwise === 'required'))
    throw new Error(`the doc comment of ${prefix}${name} must say a meaning, and 'Default: ...' or 'Required.'`)
  return { meaning, otherwise, consequence: consequence.replace(/^Consequence: (.)/, (_, first: string) => first.toUpperCase()) }
}

interface Section {
  readonly title: string
  readonly variables: readonly { readonly name: string; readonly value: string; readonly text: string }[]
}

/** `.env.example`: every variable, none of them set. */
export function envExample(sources: Sources): string {
  const sections = sectionsOf(sources).map(({ title, variables }) => {
    const lines = variables.flatMap(({ name, value, text }) => [`# ${text}`, `# ${name}=${value}`])
    return [`# --- ${title} ${'-'.repeat(110 - title.length)}`, '', ...lines].join('\n')
  })
  return [
    '# Settings of Guildhall. Copy this file to .env and fill in what you need; the real environment wins over .env.',
    '# Each setting can also be read from a file: SECRET_FILE=/run/secrets/guildhall. `guildhall doctor` looks whether they fit together.',
    '# Made by `npm run docs` from the code.',
    '',
    sections.join('\n\n'),
    '',
  ].join('\n')
}

function sectionsOf({ options, serverOptions }: Sources): readonly Section[] {
  const sections: readonly { title: string; rows: Rows; source: string; type: string; prefix: string }[] = [
    { title: 'The server', rows: SERVER_SETTINGS, source: serverOptions, type: 'ServerOptions', prefix: '' },
    { title: 'The site, its database and its secrets', rows: SETTINGS, source: options, type: 'MembershipOptions', prefix: '' },
    { title: 'Sessions', rows: SETTINGS, source: options, type: 'SessionTimes', prefix: 'session.' },
    { title: 'Their cookie', rows: SETTINGS, source: options, type: 'SessionCookieOptions', prefix: 'cookie.' },
    { title: 'Passwords', rows: SETTINGS, source: options, type: 'PasswordOptions', prefix: 'passwords.' },
    { title: 'Mail', rows: SETTINGS, source: options, type: 'MailOptions', prefix: 'mail.' },
  ]
  return sections.map(({ title, rows, source, type, prefix }) => ({
    title,
    variables: membersOf(source, type).flatMap((member) => {
      const row = rows[prefix + member.name]
      if (row?.env === undefined) return []
      return [{ name: row.env, value: row.example ?? inText(row.default), text: row.about ?? aboutOf(member, prefix, row) }]
    }),
  }))
}

/** The option's own words; the default is in them if it is not shown as the value. */
function aboutOf(member: Member, prefix: string, row: Setting<unknown>): string {
  const { meaning, otherwise, consequence } = explain(member, prefix)
  const said = row.default === undefined || row.example !== undefined ? `Default: ${otherwise}.` : ''
  const [, choices] = /^must be (one of .+)$/.exec(row.kind.rule) ?? []
  return [meaning, choices === undefined ? '' : `Write ${choices}.`, said, consequence].filter((text) => text !== '').join(' ')
}

function inText(value: unknown): string {
  if (typeof value === 'boolean') return value ? 'on' : 'off'
  return typeof value === 'string' || typeof value === 'number' ? `${value}` : ''
}
