// Servers of a test's own: a folder, a free port, a user to run them, and an end even if the test fails.
import { type ChildProcess, execFileSync, type SpawnOptions, spawn } from 'node:child_process'
import { chownSync, existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** PostgreSQL and its like refuse to run as root. */
const RUNS_AS = process.getuid?.() === 0 ? idsOf('postgres') : undefined

export interface Ran {
  readonly code: number | null
  readonly output: string
}

/** A new folder that the servers may write. */
export function ownFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'guildhall-own-'))
  give(folder)
  return folder
}

export function removeFolder(folder: string): void {
  rmSync(folder, { recursive: true, force: true })
}

/** Makes a file or folder theirs. */
export function give(path: string): void {
  if (RUNS_AS) chownSync(path, RUNS_AS.uid, RUNS_AS.gid)
}

export function spawnServer(program: string, args: readonly string[], options: SpawnOptions = {}): ChildProcess {
  return spawn(program, args, { stdio: 'ignore', ...RUNS_AS, ...options })
}

/** Runs a program of theirs until it ends. What it starts may live on. */
export function runAs(program: string, args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<Ran> {
  const child = spawnServer(program, args, { stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, ...env } })
  let output = ''
  const keep = (data: Buffer) => {
    output += data.toString()
  }
  child.stdout?.on('data', keep)
  child.stderr?.on('data', keep)
  return new Promise((done, fail) => {
    child.on('error', fail)
    // Not `close`: a running server holds the pipes.
    child.on('exit', (code) => done({ code, output }))
  })
}

/** Where a program is: in the path, or if Debian puts what is not for everybody. */
export function findProgram(name: string): string | undefined {
  const versions = '/usr/lib/postgresql'
  const own = existsSync(versions)
    ? readdirSync(versions)
        .toSorted((a, b) => Number(b) - Number(a))
        .map((version) => join(versions, version, 'bin'))
    : []
  const folders = [...own, ...(process.env.PATH ?? '').split(':'), '/usr/sbin', '/usr/local/sbin']
  return folders.map((folder) => join(folder, name)).find((path) => existsSync(path))
}

/** The same, for a program that is required. */
export function getProgram(name: string): string {
  const path = findProgram(name)
  if (path === undefined) throw new Error(`${name} is not installed`)
  return path
}

function idsOf(user: string): { readonly uid: number; readonly gid: number } {
  const id = (flag: string) => Number(execFileSync('id', [flag, user], { encoding: 'utf8' }))
  return { uid: id('-u'), gid: id('-g') }
}
