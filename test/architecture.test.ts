// The one-way rule: a file imports from lower levels only, and some things have one home.
import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'
import { describe, expect, test } from 'vitest'

const SRC = resolve(import.meta.dirname, '../src')

const LEVELS: readonly (readonly string[])[] = [
  ['domain'],
  ['database', 'i18n'],
  ['session'],
  ['storage', 'passwords', 'mail', 'views'],
  ['settings'],
  ['core'],
  ['users'],
  ['http'],
  ['features'],
  ['membership.ts'],
  ['index.ts', 'testing'],
  ['server'],
  ['cli'],
]

interface SourceFile {
  readonly path: string
  readonly text: string
}

function sources(): SourceFile[] {
  return readdirSync(SRC, { recursive: true, encoding: 'utf8' })
    .filter((file) => /\.c?ts$/.test(file))
    .map((file) => ({ path: file.replaceAll('\\', '/'), text: readFileSync(join(SRC, file), 'utf8') }))
}

function folder(path: string): string {
  return path.split('/')[0] ?? path
}

function level(path: string): number {
  return LEVELS.findIndex((folders) => folders.includes(folder(path)))
}

interface Import {
  readonly from: string
  readonly to: string
  readonly typeOnly: boolean
}

/** Relative imports as paths below src/; packages as they are named. */
function importsOf({ path, text }: SourceFile): Import[] {
  const found: Import[] = []
  const pattern =
    /^\s*(?:import|export)\s+(type\s+)?(?:[^'";]*?\sfrom\s+)?'([^']+)'|\bimport\(\s*'([^']+)'\s*\)|\bnew URL\(\s*'([^']+\.ts)'/gm
  for (const match of text.matchAll(pattern)) {
    const target = match[2] ?? match[3] ?? match[4] ?? ''
    const to = target.startsWith('.') ? relative(SRC, resolve(SRC, dirname(path), target)).replaceAll('\\', '/') : target
    found.push({ from: path, to, typeOnly: match[1] !== undefined })
  }
  return found
}

function violations(files: readonly SourceFile[]): string[] {
  const known = new Set(files.map(({ path }) => path))
  const broken: string[] = []
  for (const file of files) {
    if (level(file.path) < 0) broken.push(`${file.path} stands on no level`)
    for (const { to } of importsOf(file)) {
      if (!known.has(to)) continue
      const from = file.path
      if (level(to) > level(from)) broken.push(`${from} imports upwards: ${to}`)
      if (level(to) === level(from) && folder(to) !== folder(from)) broken.push(`${from} imports a folder of its level: ${to}`)
      const isFeature = folder(from) === 'features' && from !== 'features/all.ts'
      if (isFeature && folder(to) === 'features' && from.split('/')[1] !== to.split('/')[1]) {
        broken.push(`${from} imports another feature: ${to}`)
      }
      if (folder(from) === 'session' && !['session', 'domain', 'database'].includes(folder(to)))
        broken.push(`${from} is part of the session middleware and imports ${to}`)
    }
  }
  return broken
}

function cycles(files: readonly SourceFile[]): string[] {
  const edges = new Map(files.map((file) => [file.path, importsOf(file).map(({ to }) => to)]))
  const done = new Set<string>()
  const found: string[] = []
  const visit = (path: string, trail: readonly string[]) => {
    if (trail.includes(path)) return void found.push([...trail.slice(trail.indexOf(path)), path].join(' -> '))
    if (done.has(path)) return
    for (const next of edges.get(path) ?? []) if (edges.has(next)) visit(next, [...trail, path])
    done.add(path)
  }
  for (const { path } of files) visit(path, [])
  return found
}

function usersOf(files: readonly SourceFile[], pattern: RegExp, homes: (path: string) => boolean): string[] {
  return files.filter(({ path, text }) => !homes(path) && pattern.test(withoutComments(text))).map(({ path }) => path)
}

function withoutComments(text: string): string {
  return text.replace(/\/\*[\s\S]*?\*\//g, '').replace(/(^|\s)\/\/.*$/gm, '')
}

describe('the structure', () => {
  const files = sources()

  test('every file imports from lower levels only, never upwards, never from another folder of their level or another feature', () => {
    expect(violations(files)).toEqual([])
  })

  test('there are no cycles, not even of types', () => {
    expect(cycles(files)).toEqual([])
  })

  test('the rule is alive: an import upwards, between features, and a cycle are all seen', () => {
    const upwards = { path: 'domain/user.ts', text: "import { x } from '../core/core.ts'" }
    const sideways = { path: 'features/login/log-in.ts', text: "import { y } from '../profile/change-profile.ts'" }
    const rest = [
      { path: 'core/core.ts', text: "import type { z } from '../domain/user.ts'" },
      { path: 'features/profile/change-profile.ts', text: '' },
    ]
    expect(violations([upwards, sideways, ...rest])).toEqual([
      'domain/user.ts imports upwards: core/core.ts',
      'features/login/log-in.ts imports another feature: features/profile/change-profile.ts',
    ])
    expect(cycles([upwards, ...rest])).toEqual(['domain/user.ts -> core/core.ts -> domain/user.ts'])
  })

  test('express is used by http and the server alone', () => {
    const homes = /^(?:http|server)\//
    const values = files.flatMap(importsOf).filter(({ to, typeOnly, from }) => to === 'express' && !typeOnly && !homes.test(from))
    expect(values).toEqual([])
  })

  test('node:sqlite is looked up in one place, so that an older Node gets the message that names the needed one', () => {
    expect(files.flatMap(importsOf).filter(({ to, typeOnly }) => to === 'node:sqlite' && !typeOnly)).toEqual([])
  })

  test('the session middleware needs no package', () => {
    const packages = files
      .filter(({ path }) => folder(path) === 'session')
      .flatMap(importsOf)
      .filter(({ to, typeOnly }) => !typeOnly && !to.startsWith('node:') && !/\.c?ts$/.test(to))
    expect(packages).toEqual([])
  })

  test('process.env is read in one file', () => {
    expect(usersOf(files, /process\.env/, (path) => path === 'server/env.ts')).toEqual([])
  })

  test('workers are known to the one place that chooses them', () => {
    const inside = (path: string) => path.startsWith('server/workers/')
    const users = files.flatMap(importsOf).filter(({ from, to }) => inside(to) && !inside(from))
    expect(users.map(({ from }) => from)).toEqual(['cli/serve.ts'])
  })

  test('the clock is read in one file', () => {
    expect(usersOf(files, /Date\.now\(|new Date\(\)/, (path) => path === 'domain/clock.ts')).toEqual([])
  })

  test('randomness has one home', () => {
    expect(
      usersOf(files, /randomBytes|randomUUID|randomInt|getRandomValues|Math\.random/, (path) => path === 'domain/secret.ts'),
    ).toEqual([])
  })

  test('only signIn starts a login, and only who proved the password anew goes on with one under a new id', () => {
    expect(usersOf(files, /\.startSession\(/, () => false)).toEqual(['core/sign-in.ts'])
    const renewers = usersOf(files, /\bcontinueLogin\(/, (path) => path === 'core/sign-in.ts')
    expect(renewers.toSorted()).toEqual(['core/credentials-changed.ts', 'features/recent-login/reauthenticate.ts'])
  })
})
