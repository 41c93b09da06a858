// `npm run docs`: writes the pages of docs/ that are made from the code.
import { readFileSync, writeFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { generatedPages } from './docs/pages.ts'
import { carriersOf, REQUIREMENTS, withCarriers } from './docs/requirements.ts'

const root = resolve(import.meta.dirname, '..')
const read = (file: string) => readFileSync(resolve(root, file), 'utf8')
const requirements = withCarriers(read(REQUIREMENTS), carriersOf(root, read))
for (const [path, text] of [...(await generatedPages(read)), [REQUIREMENTS, requirements] as const]) {
  writeFileSync(resolve(root, path), text)
  console.log(path)
}
