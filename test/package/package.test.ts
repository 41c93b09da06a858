// The package as people get it: packed, installed from the tarball, and used from ESM, CommonJS, TypeScript and the command line.
import { execFile } from 'node:child_process'
import { readdirSync, readFileSync, renameSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, describe, expect, onTestFinished, test } from 'vitest'
import { freePort, type Program, ROOT, runProgram } from '../support/program.ts'
import { Visitor } from '../support/visitor.ts'
import { type Installed, packAndInstall, writeProject } from './install.ts'
import { COMMON_JS, LOADED_FILES, MOVING_TYPESCRIPT, PLAIN_TYPESCRIPT, TSCONFIG } from './projects.ts'

const LARGEST_TARBALL = 400_000

const run = promisify(execFile)
const found = packAndInstall()
if (found === undefined && process.env.REQUIRE_ALL === '1') throw new Error('npm reaches no registry and has kept no packages')

describe.skipIf(found === undefined)('the installed package, for which npm needs a registry', () => {
  const installed: Installed = found ?? { folder: '', packed: { filename: '', size: 0, unpackedSize: 0, files: [] } }
  const modules = join(installed.folder, 'node_modules')
  const home = join(modules, 'guildhall')

  afterAll(() => rmSync(installed.folder, { recursive: true, force: true }))

  async function start(file: string, cwd: string, port: number, args: readonly string[] = []): Promise<Program> {
    const program = await runProgram([file, ...args], { cwd, port, env: { HASH_MEMORY_KIB: '1024', HASH_PASSES: '1' } })
    onTestFinished(async () => void (await program.stop()))
    return program
  }

  /** Registers, logs out, logs in; gives what `/` says then. */
  async function walk({ base }: Program): Promise<string> {
    const visitor = new Visitor(base)
    expect((await visitor.register('alice')).status).toBe(201)
    expect((await visitor.api('/logout', {})).status).toBe(204)
    expect((await visitor.api('/profile')).status).toBe(401)
    expect((await visitor.logIn('alice')).status).toBe(200)
    expect((await visitor.api('/profile')).json<{ user: object }>().user).toMatchObject({ username: 'alice' })
    return (await visitor.get('/')).text
  }

  test('the example of the README lets somebody log in', async () => {
    const [, code = ''] = /```ts\n([\s\S]*?)```/.exec(readFileSync(join(home, 'README.md'), 'utf8')) ?? []
    const port = await freePort()
    const project = writeProject(installed, 'esm', {
      'package.json': JSON.stringify({ type: 'module' }),
      'app.js': code.replaceAll('3000', String(port)),
    })
    expect(await walk(await start('app.js', project, port))).toBe('Hello alice')
  })

  test('CommonJS requires it, and requires the session as the function that express-session was', async () => {
    const port = await freePort()
    const program = await start('app.cjs', writeProject(installed, 'cjs', { 'app.cjs': COMMON_JS }), port)
    expect(await walk(program)).toBe('Hello alice')
    const visitor = new Visitor(program.base)
    await visitor.get('/alone')
    expect((await visitor.get('/alone')).json()).toEqual([2, true, 'function', 'function'])
    expect(program.output()).not.toMatch(/warning/i)
  })

  test('the command line serves, and somebody logs in', async () => {
    const port = await freePort()
    const program = await start(join(modules, '.bin/guildhall'), writeProject(installed, 'cli', { '.keep': '' }), port, ['serve'])
    expect(await walk(program)).toContain('<!doctype html>')
    const shell = { cwd: join(installed.folder, 'cli'), env: { PATH: process.env.PATH } }
    const { stdout } = await run(process.execPath, [join(home, 'bin/guildhall.js'), 'user', 'list'], shell)
    expect(stdout).toContain('alice')
  })

  test('a project with the types of express-session and passport beside ours compiles, and so does one without', async () => {
    const types = { ...TSCONFIG.compilerOptions, types: ['node', 'express-session', 'passport'] }
    const moving = writeProject(installed, 'moving', {
      'package.json': JSON.stringify({ type: 'module' }),
      'tsconfig.json': JSON.stringify({ compilerOptions: types }),
      'app.ts': MOVING_TYPESCRIPT,
    })
    expect(await faultsOf(moving)).toBe('')
    for (const name of ['express-session', 'passport']) renameSync(join(modules, '@types', name), join(installed.folder, name))
    const plain = writeProject(installed, 'plain', {
      'package.json': JSON.stringify({ type: 'module' }),
      'tsconfig.json': JSON.stringify(TSCONFIG),
      'app.ts': PLAIN_TYPESCRIPT,
    })
    expect(await faultsOf(plain)).toBe('')
  }, 120_000)

  test.each(['guildhall/session', 'guildhall/session/sqlite'])('%s loads no other package', async (name) => {
    const project = writeProject(installed, 'loads', {
      'hook.mjs': LOADED_FILES,
      'app.mjs': `import * as all from '${name}'\nif (Object.keys(all).length === 0) throw new Error('nothing')`,
    })
    const { stdout } = await run(process.execPath, ['--import', './hook.mjs', 'app.mjs'], { cwd: project })
    const loaded: string[] = JSON.parse(stdout)
    const files = loaded.filter((url) => url.startsWith('file:') && url.includes('node_modules'))
    expect(files.length).toBeGreaterThan(3)
    expect(files.filter((url) => !url.startsWith(pathToFileURL(`${home}/dist/`).href))).toEqual([])
    expect(files.filter((url) => !/\/dist\/(?:session|domain|database)\//.test(url))).toEqual([])
  })

  test('the tarball has what runs and nothing else, and is small', () => {
    const { files, size } = installed.packed
    const told = /^(?:package\.json|README\.md|LICENSE|CHANGELOG\.md|SECURITY\.md|bin\/\w+\.js)$/
    const built = /^dist\/[\w./-]+\.(?:c?js|d\.c?ts|eta|css|svg|txt|json)$/
    expect(files.map(({ path }) => path).filter((path) => !told.test(path) && !built.test(path))).toEqual([])
    expect(files.filter(({ path }) => /(?:^|\/)tests?\/|\.test\.|\.env|\.db/.test(path))).toEqual([])
    expect(size).toBeLessThan(LARGEST_TARBALL)
    // What passwords are held against has to come along, and so have pages and texts.
    expect(readdirSync(join(home, 'dist'))).toEqual(expect.arrayContaining(['index.js', 'testing', 'views', 'i18n', 'passwords']))
    expect(readdirSync(join(home, 'dist/features/login'))).toEqual(expect.arrayContaining(['login.eta', 'texts.zh-TW.json']))
  })

  test('no file of it names the machine it was built on, or holds a key', () => {
    for (const { path } of installed.packed.files) {
      const text = readFileSync(join(home, path), 'utf8')
      for (const place of [ROOT, `${tmpdir()}/`, installed.folder])
        expect(text.includes(place), `${path} names ${place}`).toBe(false)
      expect(text, path).not.toMatch(/-----BEGIN [A-Z ]*KEY|_authToken/)
    }
  })

  /** What the compiler of this project has to say of another. */
  async function faultsOf(project: string): Promise<string> {
    const tsc = join(ROOT, 'node_modules/typescript/bin/tsc')
    try {
      await run(process.execPath, [tsc, '-p', project])
      return ''
    } catch (error) {
      return error instanceof Error && 'stdout' in error ? String(error.stdout) : String(error)
    }
  }
})
