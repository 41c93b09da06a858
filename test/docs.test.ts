// What docs/ says is what the code does: the generated pages are fresh, and nothing is missing from them.
import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { expect, test } from 'vitest'
import { membersOf } from '../scripts/docs/declarations.ts'
import { generatedPages } from '../scripts/docs/pages.ts'
import { ERROR_CODES, FIELD_ERROR_CODES } from '../src/domain/errors.ts'
import { statusOf } from '../src/http/errors.ts'
import { VARIABLES } from '../src/server/variables.ts'

const read = (file: string) => readFileSync(resolve(import.meta.dirname, '..', file), 'utf8')
const pages = await generatedPages(read)

test.each([...pages.keys()])('%s is as the code says; if not, run npm run docs', (path) => {
  expect(read(path)).toBe(pages.get(path))
})

test('every code, with its status, and every event is explained', () => {
  const page = pages.get('docs/errors.md')
  for (const code of ERROR_CODES) expect(page).toContain(`### ${code}\n\n**${statusOf(code)}** “`)
  for (const code of FIELD_ERROR_CODES) expect(page).toContain(`| \`${code}\` | `)
  for (const name of ['registered', 'login', 'logout', 'refused']) expect(page).toContain(`| \`${name}\` | `)
})

test('every option and every variable is explained', () => {
  const page = pages.get('docs/options.md')
  for (const { name, members } of membersOf(read('src/options.ts'), 'MembershipOptions')) {
    expect(page, name).toMatch(new RegExp(`^(?:\\| \`${name}\` \\||### ${name}$)`, 'm'))
    for (const member of members) expect(page).toContain(`| \`${name}.${member.name}\` |`)
  }
  for (const name of VARIABLES) expect(page, name).toContain(`| \`${name}\` | `)
})

test('an option without a meaning or a default, or a variable without a word, makes no page', async () => {
  const without = (file: string, text: string) =>
    generatedPages((path) => (path === file ? read(path).replace(text, '') : read(path)))
  await expect(without('src/options.ts', ' Default: none. Losing it')).rejects.toThrow('passwords.pepper')
  await expect(without('src/options.ts', "  /** Ends a session whatever happens. Default: `'12h'`. */\n")).rejects.toThrow(
    'session.absoluteTimeout',
  )
  await expect(without('.env.example', '# REGISTRATION=open\n')).rejects.toThrow('REGISTRATION')
  await expect(
    without('.env.example', '# Stands in the wordmark and in titles; passwords may not lean on it.\n'),
  ).rejects.toThrow('SITE_NAME')
  await expect(without('src/domain/events.ts', '  /** Somebody logged out. */\n')).rejects.toThrow('logout')
})
