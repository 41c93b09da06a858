// The packages that only the benchmark needs. They are installed here on first use and imported by name: the project does without them.
import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { resolve } from 'node:path'

const HERE = import.meta.dirname

/** `T` is what the caller uses of the package: the type check of the project does not see the package itself. */
export async function importPeer<T>(name: string): Promise<T> {
  return await import(name)
}

export function installPeers(): void {
  const { dependencies } = JSON.parse(readFileSync(resolve(HERE, 'package.json'), 'utf8'))
  if (Object.keys(dependencies).every((name) => existsSync(resolve(HERE, 'node_modules', name)))) return
  const npm = process.platform === 'win32' ? 'npm.cmd' : 'npm'
  const { status } = spawnSync(npm, ['ci', '--prefix', HERE, '--no-audit', '--no-fund'], { stdio: 'inherit' })
  if (status !== 0) throw new Error('the packages to compare with could not be installed: npm ci --prefix bench')
}
