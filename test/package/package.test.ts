// The package as people get it: installed from its tarball, used from ESM, CommonJS, TypeScript and the shell.
import { execFile, spawnSync } from 'node:child_process'
import { readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, describe, expect, onTestFinished, test } from 'vitest'
import { SERVER as POSTGRES_URL } from '../support/postgres-server.ts'
import { freePort, type Program, ROOT, runProgram } from '../support/program.ts'
import { REDIS_URL } from '../support/redis-server.ts'
import { Visitor } from '../support/visitor.ts'
import { type Installed, packAndInstall, writeProject } from './install.ts'
import {
  COMMON_JS,
  JEST,
  LOADED_FILES,
  MOVING_TYPESCRIPT,
  OLD_NODE,
  PLAIN_TYPESCRIPT,
  SESSION_TYPESCRIPT,
  SHAPES,
  STORES_OF_VERSIONS,
  STORES_TYPESCRIPT,
  tsconfig,
} from './projects.ts'

const LARGEST_TARBALL = 560_000
const ENTRIES = ['', '/session', '/session/sqlite', '/session/postgres', '/session/redis', '/testing'].map(
  (path) => `guildhall${path}`,
)

const run = promisify(execFile)
const found = packAndInstall()
if (found === undefined && process.env.REQUIRE_ALL === '1') throw new Error('npm reaches no registry and has kept no packages')

describe.skipIf(found === undefined)('the installed package, for which npm needs a registry', () => {
  const nothing: Installed = { folder: '', packed: { filename: '', size: 0, unpackedSize: 0, files: [] } }
  const { newest: installed, oldest } = found ?? { newest: nothing, oldest: nothing }
  const modules = join(installed.folder, 'node_modules')
  const home = join(modules, 'guildhall')

  afterAll(() => rmSync(dirname(installed.folder), { recursive: true, force: true }))

  async function start(file: string, cwd: string, port: number, args: readonly string[] = []): Promise<Program> {
    const program = await runProgram([file, ...args], { cwd, port, env: { HASH_MEMORY_KIB: '1024', HASH_PASSES: '1' } })
    onTestFinished(async () => void (await program.stop()))
    return program
  }

  /** Registers, logs out, logs in; gives what `/` says then. */
  async function useSite({ base }: Program): Promise<string> {
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
    expect(await useSite(await start('app.js', project, port))).toBe('Hello alice')
  })

  test('CommonJS requires it, and requires the session as the function that express-session was', async () => {
    const port = await freePort()
    const program = await start('app.cjs', writeProject(installed, 'cjs', { 'app.cjs': COMMON_JS }), port)
    expect(await useSite(program)).toBe('Hello alice')
    const visitor = new Visitor(program.base)
    await visitor.get('/alone')
    expect((await visitor.get('/alone')).json()).toEqual([2, true, 'function', 'function'])
    expect(program.output()).not.toMatch(/warning/i)
  })

  test('the command line serves, and somebody logs in', async () => {
    const port = await freePort()
    const program = await start(join(modules, '.bin/guildhall'), writeProject(installed, 'cli', { '.keep': '' }), port, ['serve'])
    expect(await useSite(program)).toContain('<!doctype html>')
    const shell = { cwd: join(installed.folder, 'cli'), env: { PATH: process.env.PATH } }
    const { stdout } = await run(process.execPath, [join(home, 'bin/guildhall.js'), 'user', 'list'], shell)
    expect(stdout).toContain('alice')
  })

  describe('somebody who writes TypeScript compiles it, our declarations too', () => {
    const moving = ['node', 'express-session', 'passport']

    test('with the types of express-session and passport beside ours', async () => {
      const files = { 'app.ts': MOVING_TYPESCRIPT, 'stores.ts': STORES_TYPESCRIPT }
      for (const [name, file] of Object.entries(files)) {
        const project = writeProject(installed, `moving-${name}`, {
          'package.json': JSON.stringify({ type: 'module' }),
          // The declarations of connect-mongo's driver have faults of their own.
          'tsconfig.json': tsconfig({ module: 'nodenext', types: moving, skipLibCheck: name === 'stores.ts' }),
          [name]: file,
        })
        for (const compiler of ['5.9', '7']) expect(await faultsOf(project, compiler), `${name} under ${compiler}`).toBe('')
      }
      // For those below, who have them not.
      for (const other of ['express-session', 'passport', 'connect-pg-simple', 'session-file-store'])
        rmSync(join(modules, '@types', other), { recursive: true })
    })

    test.each(SHAPES)('$named', async ({ named, type, compilerOptions, compilers }) => {
      const project = writeProject(installed, named.replaceAll(/\W/g, '-'), {
        'package.json': JSON.stringify({ type }),
        'tsconfig.json': tsconfig(compilerOptions),
        'app.ts': PLAIN_TYPESCRIPT,
        'session.ts': SESSION_TYPESCRIPT,
      })
      for (const compiler of compilers) expect(await faultsOf(project, compiler), compiler).toBe('')
    })

    test('with Express 4', async () => {
      const project = writeProject(oldest, 'types', {
        'package.json': JSON.stringify({ type: 'module' }),
        'tsconfig.json': tsconfig({ module: 'nodenext' }),
        'app.ts': PLAIN_TYPESCRIPT,
        'session.ts': SESSION_TYPESCRIPT,
      })
      expect(await faultsOf(project, '7')).toBe('')
    })
  })

  test.each(['jest29', 'jest30'])(
    'somebody who tests with %s requires it, sessions and membership, with no setting',
    async (jest) => {
      const project = writeProject(installed, jest, { 'package.json': '{}', 'app.test.js': JEST })
      const cli = join(modules, jest, 'bin/jest.js')
      const env = { PATH: process.env.PATH, REDIS: REDIS_URL, CI: '1' }
      const { stderr } = await run(process.execPath, [cli, '--rootDir', project], { cwd: project, env })
      expect(stderr).toMatch(/Tests: +3 passed, 3 total/)
    },
  )

  test('somebody who imports one half and requires the other has one class of everything', async () => {
    const project = writeProject(installed, 'both', {
      'app.cjs': `const entries = ${JSON.stringify(ENTRIES)}
        Promise.all(entries.map(async (name) => {
          const imported = await import(name)
          const required = require(name)
          return Object.keys(imported).filter((key) => /^\\w+$/.test(key) && imported[key] !== required[key])
        })).then((others) => console.log(JSON.stringify(others.flat())))`,
    })
    expect((await run(process.execPath, ['app.cjs'], { cwd: project })).stdout).toBe('[]\n')
  })

  describe('beside the oldest that we allow', () => {
    test('an application on Express 4 lets somebody log in', async () => {
      const port = await freePort()
      const program = await start('app.cjs', writeProject(oldest, 'cjs', { 'app.cjs': COMMON_JS }), port)
      expect(await useSite(program)).toBe('Hello alice')
    })

    test('the stores keep their contract on pg 8.11, and on redis 4 and 5', async () => {
      const project = writeProject(oldest, 'stores', { 'stores.test.mjs': STORES_OF_VERSIONS })
      const env = { PATH: process.env.PATH, REDIS: REDIS_URL, POSTGRES: POSTGRES_URL }
      const { stdout } = await run(process.execPath, ['--test', '--test-reporter=tap', 'stores.test.mjs'], { cwd: project, env })
      expect(stdout).toMatch(/^# pass [67]\d$/m)
      expect(stdout).toMatch(/^# fail 0$/m)
    })
  })

  test.each(ENTRIES)('%s under an older Node says which one is needed, and how to get it', async (name) => {
    const project = writeProject(installed, 'old', {
      'old.cjs': OLD_NODE,
      'app.cjs': `require('${name}')`,
      'app.mjs': `import '${name}'`,
    })
    const old = ['/usr/bin/node', '/usr/local/bin/node'].find((node) => /^v(?:18|20)\./.test(versionOf(node)))
    for (const [node, ...args] of [[process.execPath, '--require', './old.cjs'], ...(old ? [[old]] : [])]) {
      for (const app of ['app.cjs', 'app.mjs']) {
        const failed: { stderr?: string } = await run(node ?? '', [...args, app], { cwd: project }).catch(
          (error: object) => error,
        )
        expect(failed.stderr, `${node} ${app}`).toMatch(/^Error: Guildhall needs Node 22\.18 or newer, .*npm install -D node@24/m)
      }
    }
  })

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
    const documents = /^(?:package\.json|README\.md|LICENSE|CHANGELOG\.md|SECURITY\.md|bin\/\w+\.js)$/
    const built = /^dist\/[\w./-]+\.(?:c?js|d\.c?ts|eta|css|svg|ico|txt|json)$/
    expect(files.map(({ path }) => path).filter((path) => !documents.test(path) && !built.test(path))).toEqual([])
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
  async function faultsOf(project: string, version: string): Promise<string> {
    const ours = join(ROOT, 'node_modules/typescript')
    const compiler = version === '7' ? ours : join(modules, `typescript${version.replace('.', '')}`)
    const tsc = join(compiler, 'bin/tsc')
    try {
      await run(process.execPath, [tsc, '-p', project])
      return ''
    } catch (error) {
      return error instanceof Error && 'stdout' in error ? String(error.stdout) : String(error)
    }
  }
})

/** Empty if there is no such program. */
function versionOf(node: string): string {
  return String(spawnSync(node, ['--version']).stdout ?? '')
}
