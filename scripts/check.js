// Checks the code without running it: types, format, lint, dead code, the shape of the package.
import { spawnSync } from 'node:child_process'
import { resolve } from 'node:path'

const root = resolve(import.meta.dirname, '..')

const steps = [
  ['types', 'tsc', '-p', '.'],
  ['format and lint', 'biome', 'check', '--error-on-warnings', '.'],
  ['lint by type', 'oxlint', '--type-aware', '--deny-warnings', 'src', 'test', 'stress', 'scripts', 'bench', 'examples'],
  ['dead code', 'knip'],
  ['build', 'node', 'scripts/build.js'],
  ['package shape', 'publint', '--strict'],
  ['package types', 'attw', '--pack', '.', '--ignore-rules', 'false-export-default'],
]

const failed = []
for (const [name, command, ...args] of steps) {
  console.log(`\n# ${name}`)
  const { status } = spawnSync(command, args, { cwd: root, stdio: 'inherit', shell: process.platform === 'win32' })
  if (status !== 0) failed.push(name)
}
console.log(failed.length === 0 ? '\nall checks passed' : `\nfailed: ${failed.join(', ')}`)
process.exitCode = failed.length === 0 ? 0 : 1
