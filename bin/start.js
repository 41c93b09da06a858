// Loads the command line: from its sources in a clone, from what was built of them in an installed package.
import { existsSync, mkdirSync } from 'node:fs'
import { enableCompileCache } from 'node:module'
import { fileURLToPath } from 'node:url'

// A supervisor renews its workers at SIGHUP: one that comes before it can listen is no reason to end.
if (process.argv[2] === 'serve') process.on('SIGHUP', () => {})

const source = new URL('../src/cli/main.ts', import.meta.url)
const isClone = existsSync(source)

if (isClone) keepCompiled()
await import(isClone ? source.href : new URL('../dist/cli/main.js', import.meta.url).href)

/** What was compiled once is kept, which saves a third of the start. */
function keepCompiled() {
  // Not in the common folder for temporary files: whoever can write there could put code of theirs in the place of ours.
  const folder = fileURLToPath(new URL('../node_modules/.cache/guildhall', import.meta.url))
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 })
    enableCompileCache(folder)
  } catch {
    // A folder that cannot be written: the start takes a little longer.
  }
}
