// Packs the package as it would be published and installs it, with npm, in a folder outside the project.
import { execFileSync } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, realpathSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, dirname, join } from 'node:path'
import { ROOT } from '../support/program.ts'

export interface Installed {
  /** Has `node_modules`; every project below it finds them. */
  readonly folder: string
  readonly packed: Packed
}

export interface Packed {
  readonly filename: string
  /** Bytes of the tarball, and of what it unpacks to. */
  readonly size: number
  readonly unpackedSize: number
  readonly files: readonly { readonly path: string; readonly size: number }[]
}

const PACKED = ['src', 'bin', 'scripts', 'package.json', 'tsconfig.json', 'tsconfig.build.json', 'README.md', 'LICENSE']
const TOLD = ['CHANGELOG.md', 'SECURITY.md']

/** What a TypeScript project has beside us, and what it has while it moves over from express-session and passport. */
const BESIDE = ['express@^5.3.0', '@types/express@^5', '@types/node@^24', '@types/express-session', '@types/passport']

/** Undefined where npm cannot reach a registry and has not kept the packages. */
export function packAndInstall(): Installed | undefined {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'guildhall-package-')))
  const packed = pack(folder)
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ private: true }))
  try {
    npm(['install', '--prefer-offline', '--no-audit', '--no-fund', `./${packed.filename}`, ...BESIDE], folder)
  } catch (error) {
    if (/ENOTFOUND|ECONNREFUSED|EAI_AGAIN|ENOTCACHED|ETIMEDOUT/.test(String(error))) return undefined
    throw error
  }
  return { folder, packed }
}

/** Writes a project below the installed packages and gives its folder. */
export function writeProject({ folder }: Installed, name: string, files: Readonly<Record<string, string>>): string {
  for (const [file, text] of Object.entries(files)) {
    const path = join(folder, name, file)
    mkdirSync(dirname(path), { recursive: true })
    writeFileSync(path, text)
  }
  return join(folder, name)
}

/** In a copy, so that nobody's `dist/` is disturbed. */
function pack(folder: string): Packed {
  const copy = join(folder, 'sources')
  for (const name of [...PACKED, ...TOLD]) cpSync(join(ROOT, name), join(copy, name), { recursive: true })
  symlinkSync(join(ROOT, 'node_modules'), join(copy, 'node_modules'), 'junction')
  execFileSync(process.execPath, ['scripts/build.js'], { cwd: copy, env: environment(), stdio: 'pipe' })
  const printed = npm(['pack', '--json', '--ignore-scripts', '--pack-destination', folder], copy)
  const told: Packed[] | Record<string, Packed> = JSON.parse(printed)
  const [packed] = Object.values(told)
  if (packed === undefined) throw new Error(`npm pack told nothing: ${printed}`)
  return packed
}

function npm(args: readonly string[], cwd: string): string {
  return execFileSync('npm', args, {
    cwd,
    env: environment(),
    encoding: 'utf8',
    stdio: 'pipe',
    shell: process.platform === 'win32',
  })
}

/** Without the settings that an npm script hands down, which would make npm act on this project. */
function environment(): NodeJS.ProcessEnv {
  const clean = Object.entries(process.env).filter(
    ([name]) => !/^(?:npm_(?!config_registry)|NODE_OPTIONS|VITEST|NODE_ENV)/i.test(name),
  )
  const path = [dirname(process.execPath), join(ROOT, 'node_modules/.bin'), process.env.PATH].join(delimiter)
  return { ...Object.fromEntries(clean), PATH: path }
}
