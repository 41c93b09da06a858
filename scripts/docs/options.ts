// docs/options.md: the options of createMembership() and session() from their doc comments, the variables of the server from .env.example.
import { VARIABLES, type Variable } from '../../src/server/variables.ts'
import { type Member, membersOf } from './declarations.ts'
import { table } from './markdown.ts'

interface Sources {
  readonly options: string
  readonly sessionOptions: string
  readonly cookieOptions: string
  readonly envExample: string
}

export function optionsPage(sources: Sources): string {
  const all = membersOf(sources.options, 'MembershipOptions')
  const isGroup = ({ members, type }: Member) => members.length > 0 || GROUPS.has(type)
  const groups = all.filter(isGroup).map((group) => {
    const members = group.members.length > 0 ? group.members : membersOf(sources.options, group.type)
    return `### ${group.name}\n\n${optionTable(members, `${group.name}.`)}`
  })
  const sections = readEnvExample(sources.envExample)
  const known = sections.flatMap(({ variables }) => variables.map(({ name }) => name))
  for (const name of VARIABLES) if (!known.includes(name)) throw new Error(`.env.example does not explain ${name}`)
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
    ...sections.map(({ title, variables }) => {
      const rows = variables.map(({ name, value, text }) => [`\`${name}\``, value === '' ? 'none' : `\`${value}\``, text])
      return `### ${title}\n\n${table(['variable', 'value', 'meaning'], rows)}`
    }),
  ].join('\n\n')
}

/** Options that are made of options. */
const GROUPS = new Set(['SessionTimes', 'PasswordOptions'])

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
  readonly variables: { readonly name: Variable; readonly value: string; readonly text: string }[]
}

/** Comments stand above what they explain; one comment may explain several variables that follow it without a gap. */
function readEnvExample(text: string): readonly Section[] {
  const sections: Section[] = []
  let comment: string[] = []
  let isAfterVariable = false
  for (const line of text.split('\n')) {
    const title = /^# --- (.+?) -+$/.exec(line)?.[1]
    const [, given, value = ''] = /^# ([A-Z_]+)=(.*)$/.exec(line) ?? []
    const name = VARIABLES.find((known) => known === given)
    if (title !== undefined) sections.push({ title, variables: [] })
    if (title !== undefined || line === '') comment = []
    else if (name === undefined) comment = isAfterVariable ? [line.slice(2)] : [...comment, line.slice(2)]
    else if (comment.length === 0) throw new Error(`.env.example does not say what ${name} means`)
    else sections.at(-1)?.variables.push({ name, value, text: comment.join(' ') })
    isAfterVariable = name !== undefined
  }
  return sections
}
