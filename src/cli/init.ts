// `guildhall init`: asks a few questions and writes `.env`. Every question has a flag; with all of them it asks nothing.
import { existsSync, writeFileSync } from 'node:fs'
import { newToken } from '../domain/secret.ts'
import { type Diagnostic, noteIn } from '../server/diagnostic.ts'
import { settingsReader } from '../server/read-settings.ts'
import { shownDatabase } from '../server/redact-database-url.ts'
import { CommandFailed, report, say, sayJson, t, UsageError } from './terminal.ts'

export interface InitOptions {
  readonly baseUrl?: string
  readonly siteName?: string
  readonly database?: string
  readonly registration?: string
  readonly trustProxy?: string
  readonly yes?: boolean
  readonly json?: boolean
}

interface Answers {
  readonly baseUrl: string
  readonly siteName: string
  readonly database: string
  readonly registration: string
  readonly trustProxy: string
}

const FILE = '.env'
const DEFAULTS: Answers = {
  baseUrl: 'http://localhost:3000',
  siteName: 'Guildhall',
  database: 'sqlite:./data/guildhall.db',
  registration: 'open',
  trustProxy: '',
}

const RULES: Readonly<Record<keyof Answers, (text: string) => boolean>> = {
  baseUrl: (text) => /^https?:\/\//.test(text) && URL.canParse(text) && new URL(text).href === `${new URL(text).origin}/`,
  siteName: (text) => text.trim() !== '' && text.length <= 64 && !/[\r\n"#\\]/.test(text),
  database: (text) => /^(?:sqlite:(?!\/\/)|postgres(?:ql)?:\/\/)[^\r\n"'#\\]+$/.test(text),
  registration: (text) => text === 'open' || text === 'closed',
  trustProxy: isTrustProxy,
}

const FLAGS: Readonly<Record<keyof Answers, string>> = {
  baseUrl: '--base-url',
  siteName: '--site-name',
  database: '--database',
  registration: '--registration',
  trustProxy: '--trust-proxy',
}

const NAMES = Object.keys(DEFAULTS).filter((name): name is keyof Answers => name in DEFAULTS)

export async function init({ yes, json, ...flags }: InitOptions): Promise<void> {
  try {
    for (const name of NAMES) {
      const given = flags[name]
      if (given !== undefined && !RULES[name](given))
        throw new UsageError(t('summary.item', { field: FLAGS[name], message: t(`cli.init.${name}.rule`) }))
    }
    // The file holds the secret: writing over it would end every throttle's memory, and who knows what else it holds.
    if (existsSync(FILE)) throw new CommandFailed(t('cli.init.exists', { file: FILE }))
    const answers = yes ? { ...DEFAULTS, ...flags } : await ask(flags)
    write(answers)
    if (json)
      return sayJson({ file: FILE, ...answers, database: shownDatabase({ database: answers.database, databaseFile: undefined }) })
    say(t('cli.init.written', { file: FILE }))
  } catch (error) {
    await report(error)
  }
}

async function ask(flags: Partial<Answers>): Promise<Answers> {
  const missing = NAMES.filter((name) => flags[name] === undefined)
  if (missing.length > 0 && !process.stdin.isTTY) throw new UsageError(t('cli.confirm_needs_terminal', { flag: '--yes' }))
  const answers = { ...DEFAULTS, ...flags }
  if (missing.length === 0) return answers
  const { intro, isCancel, text } = await import('@clack/prompts')
  intro(t('cli.init.intro'))
  for (const name of missing) {
    const answer = await text({
      message: t(`cli.init.${name}.question`),
      initialValue: DEFAULTS[name],
      validate: (value) => (RULES[name](value ?? '') ? undefined : t(`cli.init.${name}.rule`)),
    })
    if (isCancel(answer)) throw new CommandFailed(t('cli.interrupted'))
    answers[name] = answer
  }
  return answers
}

/** As the server will read it, so that it starts from what is written here. */
function isTrustProxy(text: string): boolean {
  if (text === '') return true
  const faults: Diagnostic[] = []
  settingsReader(new Map([['TRUST_PROXY', text]]), noteIn(faults)).trustedProxies('TRUST_PROXY')
  return faults.length === 0
}

/** For the owner alone, and only where there is no such file: `wx`. */
function write({ baseUrl, siteName, database, registration, trustProxy }: Answers): void {
  const isPublic = baseUrl.startsWith('https:')
  const lines = [
    `NODE_ENV=${isPublic ? 'production' : 'development'}`,
    `BASE_URL=${baseUrl}`,
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
    throw new CommandFailed(t(error.code === 'EEXIST' ? 'cli.init.exists' : 'cli.file_unwritable', { file: FILE }))
  }
}
