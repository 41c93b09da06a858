// Every page of the documentation is reached from docs/README.md, and every link has a target.
import { existsSync, globSync, readFileSync, statSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'
import { expect, test } from 'vitest'
import { ROOT } from './support/program.ts'

const pages = [
  'README.md',
  'CONTRIBUTING.md',
  'SECURITY.md',
  'CHANGELOG.md',
  ...globSync('{docs,examples}/**/*.md', { cwd: ROOT }),
]
const read = (page: string) => readFileSync(join(ROOT, page), 'utf8')

interface Link {
  /** From the root of the project. */
  readonly path: string
  readonly anchor: string | undefined
}

function linksOf(page: string): readonly Link[] {
  const text = read(page).replaceAll(/```[\s\S]*?```/g, '')
  return [...text.matchAll(/\]\((?!\w+:)([^)\s#]*)(?:#([^)\s]+))?\)/g)].map(([, target = '', anchor]) => ({
    path: target === '' ? page : normalize(join(dirname(page), target)).replace(/\/$/, ''),
    anchor,
  }))
}

/** As the usual viewers make them: lower case, without punctuation, a hyphen for each space. */
function anchorsOf(page: string): ReadonlySet<string> {
  const headings = [...read(page).matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) => heading)
  const anchors = new Set<string>()
  for (const heading of headings) {
    const words = heading.replaceAll(/\[([^\]]*)\]\([^)]*\)/g, '$1').toLowerCase()
    const anchor = words.replaceAll(/[^\p{L}\p{N}\s_-]/gu, '').replaceAll(' ', '-')
    for (let copies = 0; ; copies++) {
      const name = copies === 0 ? anchor : `${anchor}-${copies}`
      if (anchors.has(name)) continue
      anchors.add(name)
      break
    }
  }
  return anchors
}

test.each(pages)('a reader who follows a link of %s arrives, at the heading it names', (page) => {
  const broken = linksOf(page).filter(({ path, anchor }) => {
    if (path.startsWith('..') || !existsSync(join(ROOT, path))) return true
    return anchor !== undefined && path.endsWith('.md') && !anchorsOf(path).has(anchor)
  })
  expect(broken).toEqual([])
})

test('a reader who looks for a file that a page names finds it', () => {
  const paths = pages
    .filter((page) => page !== 'CHANGELOG.md')
    .flatMap((page) =>
      [...read(page).matchAll(/`((?:src|test|stress|bench|scripts|deploy|examples|docs)\/[\w./-]+)`/g)].map(([, path = '']) => ({
        page,
        path,
      })),
    )
  expect(paths.length).toBeGreaterThan(30)
  expect(paths.filter(({ path }) => !existsSync(join(ROOT, path)))).toEqual([])
})

test('a command that a page gives to see its tests finds some', () => {
  const commands = pages.flatMap((page) =>
    [...read(page).matchAll(/`npx vitest run (?:--project \w+ )?(test[^`]*)`/g)].map(([, args = '']) => ({ page, args })),
  )
  expect(commands.length).toBeGreaterThan(20)
  const findsNothing = ({ args }: { readonly args: string }) => {
    const [, paths = '', quoted, word] = /^(.*?)(?: ?-t (?:(["'].+["'])|(\S+)))?$/.exec(args) ?? []
    const title = new RegExp(quoted?.slice(1, -1) ?? word ?? '')
    const files = paths.split(' ').map((path) => (path.endsWith('.ts') ? [path] : globSync(`${path}/**/*.ts`, { cwd: ROOT })))
    const areThere = files.every((some) => some.length > 0 && some.every((file) => existsSync(join(ROOT, file))))
    return !areThere || !files.flat().some((file) => title.test(read(file)))
  }
  expect(commands.filter(findsNothing)).toEqual([])
})

test('a reader who starts at docs/README.md reaches every page', () => {
  const reached = new Set(['docs/README.md'])
  for (const page of reached) {
    for (const { path } of linksOf(page)) {
      // A folder is shown as the list of its files.
      if (statSync(join(ROOT, path)).isDirectory()) for (const file of globSync(`${path}/*.md`, { cwd: ROOT })) reached.add(file)
      else if (path.endsWith('.md')) reached.add(path)
    }
  }
  expect(pages.filter((page) => !reached.has(page))).toEqual([])
})

test('the way in leads straight to each page of a feature, guide and measurement', () => {
  const direct = new Set(linksOf('docs/README.md').map(({ path }) => path))
  expect(
    globSync('docs/{.,features,guides,measurements}/*.md', { cwd: ROOT })
      .map(normalize)
      .filter((page) => !direct.has(page)),
  ).toEqual(['docs/README.md'])
})
