// docs/requirements.md: its sentences are written by hand, the tests below each are read from the sources.
import { globSync } from 'node:fs'

export const REQUIREMENTS = 'docs/requirements.md'

/** A test, a group of tests or a stress run whose title carries the id of a requirement. */
export interface Carrier {
  readonly file: string
  readonly title: string
}

/** `D-22`. `A15` counts too: a number of some other list, which nobody can look up, is then found to be unexplained. */
const ID = /\b[A-Z]-?\d{1,2}\b/g
/** A text that begins with ids and goes on in words: `'D-22, F-30: a logout ...'`. */
const TITLE = /(['"`])((?:[A-Z]-?\d{1,2}[,:]? )+(?![A-Z]-?\d{1,2}\1)(?:(?!\1).)+)\1/g
const LEADING_IDS = /^(?:[A-Z]-?\d{1,2}[,:]? ?)+/
/** `test('...'`, also behind the cases of an `each`. */
const TEST = /^ *(?:test[\w.]*\(|(?:test\.(?:each|runIf)|\]\)?)\(?.*\)\()\s*(['"`])(.+?)\1,/gm
const STRESS_RUN = /^ {2}id: '([^']+)',\n {2}title:\s*'([^']+)'/m

/** Which tests carry which id, in the order of ids and files. */
export function carriersOf(root: string, read: (file: string) => string): ReadonlyMap<string, readonly Carrier[]> {
  const found = new Map<string, Carrier[]>()
  const add = (ids: string, carrier: Carrier) => {
    for (const id of new Set(ids.match(ID))) found.set(id, [...(found.get(id) ?? []), carrier])
  }
  const files = (pattern: string) => globSync(pattern, { cwd: root }).toSorted()
  for (const file of [...files('test/**/*.ts'), ...files('stress/*.test.ts')]) {
    const text = read(file)
    for (const { index, 2: title = '' } of text.matchAll(TITLE)) {
      const outer = [...groupsAround(text, index), title]
      const inner = titlesWithin(text, index)
      for (const path of inner.length === 0 ? [outer] : inner.map((name) => [...outer, name])) {
        const parts = path.map((name) => readable(name.replace(LEADING_IDS, ''))).filter((part) => part !== '…')
        add(title, { file, title: parts.join(' › ') })
      }
    }
  }
  for (const file of files('stress/*.ts')) {
    const [, ids, title = ''] = STRESS_RUN.exec(read(file)) ?? []
    if (ids !== undefined) add(ids, { file, title: readable(title) })
  }
  return new Map([...found].toSorted(([one], [other]) => (one < other ? -1 : 1)))
}

/** For the title of a `describe`: the titles of the tests in it. */
function titlesWithin(text: string, index: number): readonly string[] {
  const [, margin, kind] = [...text.slice(0, index).matchAll(/^( *)(test|it|describe)\b/gm)].at(-1) ?? []
  if (kind !== 'describe') return []
  const [block = ''] = text.slice(index).split(new RegExp(`^${margin}\\}`, 'm'))
  return [...block.matchAll(TEST)].map(([, , name = '']) => name)
}

/** The titles of the `describe` that enclose a place, the outermost first. */
function groupsAround(text: string, index: number): readonly string[] {
  const before = text.slice(0, index)
  const groups: string[] = []
  let indent = [...before.matchAll(/^( *)(?:test|it|describe)\b/gm)].at(-1)?.[1]?.length ?? 0
  for (const opening of [...before.matchAll(/^( *)describe\b/gm)].toReversed()) {
    const [, margin = ''] = opening
    const isOpen = margin.length < indent && !new RegExp(`^${margin}\\}`, 'm').test(before.slice(opening.index))
    if (!isOpen) continue
    indent = margin.length
    const [, , title] = /\((?:\n *)?(['"`])(.+?)\1,/.exec(text.slice(opening.index)) ?? []
    if (title !== undefined) groups.unshift(title)
  }
  return groups
}

/** The ids that a page explains, each by a heading of its own. */
export function explainedIds(page: string): readonly string[] {
  return [...page.matchAll(/^### (\S+)$/gm)].map(([, id = '']) => id)
}

/** The page with the tests of today below each sentence. */
export function withCarriers(page: string, carriers: ReadonlyMap<string, readonly Carrier[]>): string {
  const filled = page.replaceAll(/^### (\S+)\n+(.+)\n+(?:- .*\n+)*/gm, (_, id: string, sentence: string) => {
    const lines = (carriers.get(id) ?? []).map(({ file, title }) => `- [${file}](../${file}): ${title}\n`)
    return `### ${id}\n\n${sentence}\n\n${lines.join('')}\n`
  })
  return `${filled.trimEnd()}\n`
}

/** Placeholders of a title are left open, and nothing in it is taken for Markdown. */
function readable(title: string): string {
  return title
    .replaceAll(/\$\{[^}]+\}|\$\w+|%[a-z]/g, '…')
    .replaceAll(/\\(['"`])/g, '$1')
    .replaceAll(/[*_<`]/g, '\\$&')
}
