// What docs/ says is what the code does: the generated pages are fresh, and nothing is missing from them.
import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { promisify } from 'node:util'
import { describe, expect, test } from 'vitest'
import { membersOf } from '../scripts/docs/declarations.ts'
import { generatedPages } from '../scripts/docs/pages.ts'
import { FAILURE, WRONG_USAGE } from '../src/cli/terminal.ts'
import { TEST_MAIL } from '../src/core/test-mail.ts'
import { ERROR_CODES, FIELD_ERROR_CODES } from '../src/domain/errors.ts'
import { FEATURES } from '../src/features/all.ts'
import { statusOf } from '../src/http/errors.ts'
import type { AnyFeature } from '../src/http/feature.ts'
import { configOf } from '../src/server/config.ts'
import { mergeEnvironment } from '../src/server/env.ts'
import { SERVICE_PATHS } from '../src/server/service-paths.ts'
import { SERVER_SETTINGS } from '../src/server/table.ts'
import { VARIABLES } from '../src/server/variable-names.ts'
import { settingsFrom } from '../src/settings/check.ts'
import type { Setting } from '../src/settings/schema.ts'
import { SETTINGS } from '../src/settings/table.ts'

const ROOT = resolve(import.meta.dirname, '..')
const read = (file: string) => readFileSync(resolve(ROOT, file), 'utf8')
const pages = await generatedPages(read)

test.each([...pages.keys()])('%s is as the code says; if not, run npm run docs', (path) => {
  expect(read(path)).toBe(pages.get(path))
})

test('every code, with its status, and every event is explained', () => {
  const page = pages.get('docs/errors.md')
  for (const code of ERROR_CODES) expect(page).toContain(`### ${code}\n\n**${statusOf(code)}** “`)
  for (const code of FIELD_ERROR_CODES) expect(page).toContain(`| \`${code}\` | `)
  for (const name of ['registered', 'login', 'logout', 'password_changed', 'refused']) expect(page).toContain(`| \`${name}\` | `)
})

test('every option and every variable is explained', () => {
  const page = pages.get('docs/options.md')
  for (const { name, members } of membersOf(read('src/settings/options.ts'), 'MembershipOptions')) {
    expect(page, name).toMatch(new RegExp(`^(?:\\| \`${name}\` \\||### ${name}$)`, 'm'))
    for (const member of members) expect(page).toContain(`| \`${name}.${member.name}\` |`)
  }
  for (const name of VARIABLES) expect(page, name).toContain(`| \`${name}\` | `)
})

test('every variable has its line in .env.example, and the defaults that are shown are those that count', () => {
  const lines = pages.get('.env.example')?.split('\n') ?? []
  const values = new Map(
    lines.flatMap((line) => {
      const [, name, value = ''] = /^# ([A-Z_]+)=(.*)$/.exec(line) ?? []
      return name === undefined ? [] : [[name, value] as const]
    }),
  )
  expect([...values.keys()].toSorted()).toEqual([...VARIABLES].toSorted())
  const rows: readonly Setting<unknown>[] = [...Object.values(SETTINGS), ...Object.values(SERVER_SETTINGS)]
  const defaults = rows.flatMap((row) => (row.env !== undefined && row.default !== undefined ? row.env : []))
  expect(defaults.length).toBeGreaterThan(15)
  const settingsWith = (env: Readonly<Record<string, string>>) => {
    const { membership, ...server } = configOf(mergeEnvironment(env, '/nowhere'))
    const { settings } = settingsFrom({ ...membership, baseUrl: 'http://localhost', database: server.database })
    return { ...server, settings }
  }
  expect(settingsWith(Object.fromEntries(defaults.map((name) => [name, values.get(name) ?? ''])))).toEqual(settingsWith({}))
})

describe('the pages of the features', () => {
  const folder = 'docs/features'
  test('explain every command, flag and exit code', async () => {
    const page = read(`${folder}/command-line.md`)
    const groups = ['user', 'sessions', 'mail']
    const commands = await commandsOf()
    const explained = [...page.matchAll(/^\| `guildhall ([\w -]+)`/gm)].map(([, name = '']) => name)
    const there = commands.filter((name) => !groups.includes(name))
    for (const group of groups) there.push(...(await commandsOf(group)).map((name) => `${group} ${name}`))
    expect(explained.toSorted()).toEqual(there.toSorted())
    const flags = [...read('src/cli/main.ts').matchAll(/\.option\('(--[a-z-]+)/g)].map(([, flag = '']) => flag)
    expect(flags).toContain('--yes')
    for (const flag of flags) expect(page).toContain(`\`${flag}\``)
    for (const code of [0, FAILURE, WRONG_USAGE]) expect(page).toMatch(new RegExp(`^\\| ${code} \\|`, 'm'))
  })

  test('explain every path and number of the server', () => {
    const page = read(`${folder}/server.md`)
    for (const path of SERVICE_PATHS) expect(page).toContain(`| \`${path}\` | `)
    const numbers = [...read('src/server/metrics.ts').matchAll(/'(guildhall_\w+)'/g)].map(([, name = '']) => name)
    expect(numbers.length).toBeGreaterThan(5)
    for (const name of numbers) expect(page).toContain(`\`${name}\``)
  })

  test('explain every mail', () => {
    const mails = new Set(FEATURES.flatMap(({ mails = [] }: AnyFeature) => mails.map(({ name }) => name)))
    const explained = [...read(`${folder}/mail.md`).matchAll(/^\| `([a-z-]+)` \| .+ \| “/gm)].map(([, name = '']) => name)
    expect(explained.toSorted()).toEqual([...mails, TEST_MAIL].toSorted())
  })

  test('explain everything that can be done with accounts', () => {
    const declared = /export interface Users \{([\s\S]*?)\n\}/.exec(read('src/users/users.ts'))?.[1] ?? ''
    const explained = [...read(`${folder}/accounts.md`).matchAll(/^\| `(\w+)\(/gm)].map(([, name]) => name)
    expect(explained).toEqual([...declared.matchAll(/^ {2}(\w+)\(/gm)].map(([, name]) => name))
  })
})

/** As `--help` lists them. */
async function commandsOf(...group: readonly string[]): Promise<string[]> {
  const env = { PATH: process.env.PATH, LC_ALL: 'en' }
  const { stdout } = await promisify(execFile)(process.execPath, ['bin/guildhall.js', ...group, '--help'], { cwd: ROOT, env })
  const [, list = ''] = stdout.split('Commands:\n')
  return [...list.matchAll(/^ {2}([a-z-]+)/gm)].map(([, name = '']) => name).filter((name) => name !== 'help')
}

test('an option without a meaning or a default, or a variable without a word, makes no page', async () => {
  const without = (file: string, text: string) =>
    generatedPages((path) => (path === file ? read(path).replace(text, '') : read(path)))
  await expect(without('src/settings/options.ts', ' Default: none. Losing it')).rejects.toThrow('passwords.pepper')
  const about = "  /** Ends a session this time after its start, even if it is used. Default: `'12h'`. */\n"
  await expect(without('src/settings/options.ts', about)).rejects.toThrow('session.absoluteTimeout')
  await expect(without('src/server/table.ts', '  /** The port; 0 takes a free one. Default: 3000. */\n')).rejects.toThrow('port')
  await expect(without('src/domain/events.ts', '  /** Somebody logged out. */\n')).rejects.toThrow('logout')
})
