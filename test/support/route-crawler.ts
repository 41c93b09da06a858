// Walks through every route of a site, by every method and as page and as API, and keeps each answer.
import type { Site } from './site.ts'
import type { Answer, Visitor } from './visitor.ts'

export interface Step {
  readonly name: string
  readonly answer: Answer
}

/** Logging out comes last, or the rest would be anonymous. `fields` go into every write, `id` into the path. */
export async function crawlRoutes(
  site: Pick<Site, 'paths'>,
  visitor: Visitor,
  fields: Readonly<Record<string, string>>,
  id = 'no-such-id',
): Promise<readonly Step[]> {
  const isLogout = (path: string) => Number(path.endsWith('/logout'))
  const paths = [...new Set(site.paths)].sort((a, b) => isLogout(a) - isLogout(b))
  const steps: Step[] = []
  for (const path of paths) {
    const at = path.replace(':id', id)
    const isApi = at.startsWith('/api/')
    const read = isApi ? () => visitor.api(at.slice('/api'.length)) : () => visitor.get(at)
    const write = isApi ? () => visitor.api(at.slice('/api'.length), fields) : () => visitor.form(at, fields)
    const other = (method: string) => () => visitor.send(at, { method, headers: { 'sec-fetch-site': 'same-origin' } })
    const calls = { GET: read, HEAD: other('HEAD'), PUT: other('PUT'), OPTIONS: other('OPTIONS'), POST: write }
    for (const [method, call] of Object.entries(calls)) steps.push({ name: `${method} ${path}`, answer: await call() })
  }
  return steps
}

/** All that an answer says except its Set-Cookie headers. */
export function spoken({ headers, text }: Answer): string {
  const lines = [...headers].filter(([name]) => name !== 'set-cookie').map(([name, value]) => `${name}: ${value}`)
  return [...lines, text].join('\n')
}
