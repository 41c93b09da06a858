// `npm run docs`: writes the pages of docs/ that are made from the code.
import { readFileSync, writeFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { generatedPages } from './docs/pages.ts'

const root = resolve(import.meta.dirname, '..')
for (const [path, text] of await generatedPages((file) => readFileSync(resolve(root, file), 'utf8'))) {
  writeFileSync(resolve(root, path), text)
  console.log(path)
}
