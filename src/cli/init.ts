// `guildhall init`: asks a few questions, each of which has a flag, and writes `.env`.
import { existsSync, writeFileSync } from 'node:fs'
import { redactDatabaseUrl } from '../domain/database-url.ts'
import { newToken } from '../domain/secret.ts'
import { SERVER_SETTINGS } from '../server/table.ts'
import type { Setting } from '../settings/schema.ts'
import { SETTINGS } from '../settings/table.ts'
import { CommandError, INTERRUPTED, type Json, print, printJson, report, UsageError } from './terminal.ts'

const QUESTIONS = {
  baseUrl: { flag: '--base-url', setting: SETTINGS.baseUrl, initial: 'http://localhost:3000' },
  siteName: { flag: '--site-name', setting: SETTINGS.siteName, initial: SETTINGS.siteName.default },
  database: { flag: '--database', setting: SETTINGS.database, initial: SETTINGS.database.example },
  registration: { flag: '--registration', setting: SETTINGS.registration, initial: SETTINGS.registration.default },
  trustProxy: { flag: '--trust-proxy', setting: SERVER_SETTINGS.trustProxy, initial: '' },
} as const satisfies Record<string, { flag: string; setting: Setting<unknown>; initial: string }>

type Name = keyof typeof QUESTIONS
type Answers = Record<Name, string>

export interface InitOptions extends Json, Partial<Answers> {
  readonly yes?: boolean
}

const FILE = '.env'
const NAMES = Object.keys(QUESTIONS).filter((name): name is Name => name in QUESTIONS)
const DEFAULTS: Answers = {
  baseUrl: QUESTIONS.baseUrl.initial,
  siteName: QUESTIONS.siteName.initial,
  database: QUESTIONS.database.initial,
  registration: QUESTIONS.registration.initial,
  trustProxy: QUESTIONS.trustProxy.initial,
}

export async function init({ yes, json, ...flags }: InitOptions): Promise<void> {
  try {
    for (const name of NAMES) {
      const value = flags[name]
      const fault = value === undefined ? undefined : faultOf(name, value)
      if (fault !== undefined) throw new UsageError(`${QUESTIONS[name].flag}: ${fault}`)
    }
    // Overwriting the file would lose the secret, and other settings in it.
    if (existsSync(FILE)) throw new CommandError(EXISTS)
    const answers = yes ? { ...DEFAULTS, ...flags } : await ask(flags)
    write(answers)
    if (json) return printJson({ file: FILE, ...answers, database: redactDatabaseUrl(answers.database) })
    print(`${FILE} is written, with a secret of its own. Next: guildhall doctor, then guildhall serve.`)
  } catch (error) {
    await report(error)
  }
}

const EXISTS = `${FILE} exists already and was not touched. Change it by hand, or move it away first.`

async function ask(flags: Partial<Answers>): Promise<Answers> {
  const missing = NAMES.filter((name) => flags[name] === undefined)
  if (missing.length > 0 && !process.stdin.isTTY)
    throw new UsageError('This is no terminal to ask in. Say --yes to go on without a question.')
  const answers = { ...DEFAULTS, ...flags }
  if (missing.length === 0) return answers
  const { intro, isCancel, text } = await import('@clack/prompts')
  intro('A few questions, then .env is written.')
  for (const name of missing) {
    const { setting, initial } = QUESTIONS[name]
    const answer = await text({
      message: setting.question,
      // Shown as a placeholder: as an initial value it would have to be deleted first.
      placeholder: initial,
      defaultValue: initial,
      validate: (value) => (value ? faultOf(name, value) : undefined),
    })
    if (isCancel(answer)) throw new CommandError(INTERRUPTED)
    answers[name] = answer
  }
  return answers
}

/** The same checks as by the server, so that it starts with the written file. */
function faultOf(name: Name, answer: string): string | undefined {
  const { kind }: Setting<unknown> = QUESTIONS[name].setting
  if (name === 'trustProxy' && answer === '') return undefined
  if (/[\r\n"'#\\]/.test(answer) && (name !== 'siteName' || /[\r\n"#\\]/.test(answer)))
    return 'must have no line break, quotation mark, # or \\, which mean something else in .env'
  return kind.accepts(kind.parse ? kind.parse(answer) : answer) ? undefined : kind.rule
}

/** Readable by the owner alone, and only if there is no such file: `wx`. */
function write({ baseUrl, siteName, database, registration, trustProxy }: Answers): void {
  const { protocol, port } = new URL(baseUrl)
  const isPublic = protocol === 'https:'
  const lines = [
    `NODE_ENV=${isPublic ? 'production' : 'development'}`,
    `BASE_URL=${baseUrl}`,
    // The port of an http URL is the server's own; that of an https URL is the proxy's.
    ...(isPublic || port === '' ? [] : [`PORT=${port}`]),
    `SITE_NAME=${JSON.stringify(siteName)}`,
    `DATABASE_URL=${database}`,
    `REGISTRATION=${registration}`,
    `SECRET=${newToken()}`,
    ...(trustProxy === '' ? [] : [`TRUST_PROXY=${trustProxy}`]),
  ]
  try {
    writeFileSync(FILE, `${lines.join('\n')}\n`, { flag: 'wx', mode: 0o600 })
  } catch (error) {
    if (!(error instanceof Error && 'code' in error)) throw error
    if (error.code === 'EEXIST') throw new CommandError(EXISTS)
    throw new CommandError(`${FILE} cannot be written: this user may not write into this folder. Nothing was changed.`)
  }
}
