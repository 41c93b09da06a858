// Makes dist/ for publishing: what tsc compiles, and the files beside the sources that it does not copy.
import { execFileSync } from 'node:child_process'
import { cpSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'

const root = resolve(import.meta.dirname, '..')
const from = join(root, 'src')
const to = join(root, 'dist')

rmSync(to, { recursive: true, force: true })
execFileSync('tsc', ['-p', 'tsconfig.build.json'], { cwd: root, stdio: 'inherit', shell: process.platform === 'win32' })

// tsc 7.0 leaves out of its declarations what the import of a JSON file needs; a project with skipLibCheck: false would not compile.
for (const file of readdirSync(to, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.d.ts'))) {
  const text = readFileSync(join(to, file), 'utf8')
  const mended = text.replace(/( from '[^']+\.json');/g, "$1 with { type: 'json' };")
  if (mended !== text) writeFileSync(join(to, file), mended)
}

const beside = readdirSync(from, { recursive: true, encoding: 'utf8' }).filter((file) =>
  /\.(?:eta|css|svg|ico|txt|json|js)$/.test(file),
)
for (const file of beside) cpSync(join(from, file), join(to, file))
console.log(`dist/: compiled, ${beside.length} files copied`)
