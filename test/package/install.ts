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
const DOCUMENTS = ['CHANGELOG.md', 'SECURITY.md']

/** What projects have beside us today: also while they move over from express-session and passport, and to test with. */
const NEWEST = [
  ['express@5.3.0', '@types/express@5.0.6', '@types/node@24.19.2', 'pg@8.23.1', 'redis@6.3.1'],
  ['@types/express-session@1.19.0', '@types/passport@1.0.17', 'connect-redis@10.0.0', 'connect-mongo@6.0.0', 'memorystore@1.6.8'],
  ['connect-pg-simple@10.0.0', '@types/connect-pg-simple@7.0.3', '@types/pg@8.23.1'],
  ['session-file-store@1.5.0', '@types/session-file-store@1.2.6'],
  ['typescript57@npm:typescript@5.7.3', 'typescript59@npm:typescript@5.9.3'],
  ['jest29@npm:jest@29.7.0', 'jest30@npm:jest@30.5.2'],
].flat()
/** The oldest that `peerDependencies` allows, and the types of Express 4. */
const OLDEST = [
  'express@4.21.0',
  '@types/express@4.17.21',
  '@types/node@24.19.2',
  'pg@8.11.0',
  'redis@4.6.0',
  'redis5@npm:redis@5.0.0',
]

/** Undefined if npm cannot reach a registry and has not kept the packages. */
export function packAndInstall(): { readonly newest: Installed; readonly oldest: Installed } | undefined {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'guildhall-package-')))
  const packed = pack(folder)
  try {
    return { newest: install(join(folder, 'newest'), packed, NEWEST), oldest: install(join(folder, 'oldest'), packed, OLDEST) }
  } catch (error) {
    if (/ENOTFOUND|ECONNREFUSED|EAI_AGAIN|ENOTCACHED|ETIMEDOUT/.test(String(error))) return undefined
    throw error
  }
}

function install(folder: string, packed: Packed, beside: readonly string[]): Installed {
  mkdirSync(folder)
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ private: true }))
  npm(['install', '--prefer-offline', '--no-audit', '--no-fund', '--ignore-scripts', `../${packed.filename}`, ...beside], folder)
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
  for (const name of [...PACKED, ...DOCUMENTS]) cpSync(join(ROOT, name), join(copy, name), { recursive: true })
  symlinkSync(join(ROOT, 'node_modules'), join(copy, 'node_modules'), 'junction')
  // As it is published, so `prepack` builds it; its output must not precede the JSON.
  const printed = npm(['pack', '--json', '--pack-destination', folder], copy)
  const parsed: Packed[] | Record<string, Packed> = JSON.parse(printed)
  const [packed] = Object.values(parsed)
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
