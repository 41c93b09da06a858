// Makes dist/ for publishing: what tsc compiles, the other files beside the sources, and an entry for `require`.
import { execFileSync } from 'node:child_process'
import { cpSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { basename, dirname, join, relative, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'

const root = resolve(import.meta.dirname, '..')
const from = join(root, 'src')
const to = join(root, 'dist')

rmSync(to, { recursive: true, force: true })
// On stderr: `npm pack --json` prints its JSON on stdout, and nothing else may be there.
execFileSync('tsc', ['-p', 'tsconfig.build.json'], { cwd: root, stdio: ['ignore', 2, 2], shell: process.platform === 'win32' })

// A declaration that imports a JSON file compiles only in projects that may import one: it gets the names of the texts instead.
for (const file of readdirSync(to, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.d.ts'))) {
  const text = readFileSync(join(to, file), 'utf8')
  const fixed = text.replace(/^import (?:type )?(\w+) from '([^']+\.json)'.*;$/gm, (_line, name, json) => {
    const texts = JSON.parse(readFileSync(join(from, dirname(file), json), 'utf8'))
    return `declare const ${name}: { ${Object.keys(texts)
      .map((key) => `${JSON.stringify(key)}: string`)
      .join('; ')} };`
  })
  if (fixed !== text) writeFileSync(join(to, file), fixed)
}

const companions = readdirSync(from, { recursive: true, encoding: 'utf8' }).filter((file) =>
  /\.(?:eta|css|svg|ico|txt|json|js)$/.test(file),
)
for (const file of companions) cpSync(join(from, file), join(to, file))

const { exports } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
const required = Object.values(exports).flatMap((conditions) => conditions.require?.default ?? [])
for (const file of required) await writeCommonJs(join(root, file.replace(/\.cjs$/, '.js')))
console.error(`dist/: compiled, ${companions.length} files copied, ${required.length} for require`)

/**
 * What `require` gives is the ES module itself: there is one of each class and each table of sessions, imported or required. It is Node that is
 * asked for it, not the `require` at hand: Jest's cannot load ES modules. docs/decisions/020-require-returns-the-es-module.md
 */
async function writeCommonJs(module) {
  const check = relative(dirname(module), join(to, 'domain/node-version.cjs')).replaceAll('\\', '/')
  const base = basename(module, '.js')
  const code = [
    `require('${check.startsWith('.') ? check : `./${check}`}')`,
    `const node = require('node:vm').runInThisContext("process.getBuiltinModule('node:module')")`,
    `module.exports = node.createRequire(__filename)('./${base}.js')`,
  ]
  writeFileSync(join(dirname(module), `${base}.cjs`), `${code.join('\n')}\n`)

  const names = Object.keys(await import(pathToFileURL(module).href)).filter((name) => /^\w+$/.test(name))
  const [, namespace] = /declare namespace session \{([^}]*)\}/.exec(readFileSync(module.replace(/\.js$/, '.d.ts'), 'utf8')) ?? []
  const from = `from './${base}.js' with { 'resolution-mode': 'import' }`
  const types = [
    `import type { ${names.map((name) => `${name} as $${name}`).join(', ')} } ${from}`,
    `export type * ${from}`,
    ...names.filter((name) => name !== 'default').map((name) => `export declare const ${name}: typeof $${name}`),
    ...names.filter((name) => /^[A-Z]/.test(name)).map((name) => `export type ${name} = $${name}`),
    ...(namespace ? [`export declare namespace session { ${namespace.replace(/ (\w+) = .*/g, ' $1 = $session.$1')} }`] : []),
    ...(names.includes('default') ? ['export { session as default }'] : []),
  ]
  writeFileSync(join(dirname(module), `${base}.d.cts`), `${types.join('\n')}\n`)
}
