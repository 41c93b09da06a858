// Where the time of an authenticated request goes: a CPU profile of the whole server under load, summed by function and by origin.
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { load } from './generator.ts'
import { newFolder, startServer } from './processes.ts'
import { registerAndLogIn } from './visitors.ts'

export interface ProfileResult {
  /** Shares of the time in which the main thread had something to do. */
  readonly byOrigin: readonly Share[]
  readonly byFunction: readonly Share[]
}

interface Share {
  readonly name: string
  readonly share: number
}

interface CpuProfile {
  readonly nodes: readonly { readonly id: number; readonly callFrame: CallFrame }[]
  readonly samples: readonly number[]
  readonly timeDeltas: readonly number[]
}

interface CallFrame {
  readonly functionName: string
  readonly url: string
  readonly lineNumber: number
}

const TOP = 20

export async function profileServer(path: string, { seconds }: { readonly seconds: number }): Promise<ProfileResult> {
  const folder = newFolder()
  const server = await startServer({ flags: ['--cpu-prof', `--cpu-prof-dir=${folder}`] })
  try {
    const headers = { Cookie: await registerAndLogIn(server.base, 0), ...(path === '/profile' && { Accept: 'text/html' }) }
    await load({ url: server.base + path, headers, seconds })
  } finally {
    await server.stop()
  }
  // Hashing threads leave profiles of their own; the main thread's is the one with the most samples.
  const profiles = readdirSync(folder).map((file): CpuProfile => JSON.parse(readFileSync(join(folder, file), 'utf8')))
  const [main] = profiles.toSorted((a, b) => b.samples.length - a.samples.length)
  if (main === undefined) throw new Error('the server left no profile')
  return summarize(main, seconds)
}

/** The start of the server is not what is asked for: only the last so many seconds, in which the load ran. */
function summarize({ nodes, samples, timeDeltas }: CpuProfile, seconds: number): ProfileResult {
  const frames = new Map(nodes.map(({ id, callFrame }) => [id, callFrame]))
  const origins = new Map<string, number>()
  const functions = new Map<string, number>()
  const loadFrom = timeDeltas.reduce((sum, micros) => sum + micros, 0) - seconds * 1_000_000
  let at = 0
  let busy = 0
  for (const [index, id] of samples.entries()) {
    const frame = frames.get(id)
    const micros = timeDeltas[index] ?? 0
    at += micros
    if (at < loadFrom) continue
    if (frame === undefined || frame.functionName === '(idle)' || frame.functionName === '(root)') continue
    busy += micros
    add(origins, originOf(frame), micros)
    add(functions, nameOf(frame), micros)
  }
  const top = (sums: ReadonlyMap<string, number>) =>
    [...sums]
      .toSorted(([, a], [, b]) => b - a)
      .slice(0, TOP)
      .map(([name, micros]) => ({ name, share: micros / busy }))
  return { byOrigin: top(origins), byFunction: top(functions) }
}

function add(sums: Map<string, number>, name: string, micros: number): void {
  sums.set(name, (sums.get(name) ?? 0) + micros)
}

/** Our rooms by name, packages by name, `node:...`, and what the engine does itself. */
function originOf({ url, functionName }: CallFrame): string {
  const folder = /\/(?:src|dist)\/([\w-]+)[/.]/.exec(url)?.[1]
  const inPackage = /.*\/node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(url)?.[1]
  if (inPackage !== undefined) return inPackage
  if (folder !== undefined) return `guildhall: ${folder}/`
  if (url.startsWith('node:')) return url.replace(/^node:internal\/([\w-]+).*$/, 'node: $1').replace(/^node:(\w+).*$/, 'node: $1')
  return functionName.startsWith('(') ? functionName : 'built into Node and V8'
}

function nameOf({ url, functionName, lineNumber }: CallFrame): string {
  const name = functionName === '' ? '(anonymous)' : functionName
  if (url === '') return name
  const file = url.replace(/^.*\/node_modules\//, '').replace(/^.*\/(src|dist)\//, '$1/')
  return `${name} (${file}:${lineNumber + 1})`
}
