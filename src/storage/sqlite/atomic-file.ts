// A database file that is made under another name, and gets its own when it is whole.
import { closeSync, existsSync, fsyncSync, linkSync, openSync, renameSync, rmSync, statSync } from 'node:fs'
import { dirname } from 'node:path'
import { SIDECARS } from '../../database/sqlite/connection.ts'
import { newId } from '../../domain/secret.ts'

/** Makes a file under a temporary name until it is whole. A crash leaves `….unfinished-…`, which nothing of ours reads. */
export async function withTemporaryFile(path: string, work: (temporary: string) => Promise<void>): Promise<void> {
  const temporary = `${path}.unfinished-${newId()}`
  closeSync(openSync(temporary, 'wx', 0o600))
  try {
    await work(temporary)
  } finally {
    for (const end of ['', ...SIDECARS]) rmSync(temporary + end, { force: true })
  }
}

/** The name appears with all of its data, or not at all. Throws EEXIST if it is taken. */
export function renameAtomically(temporary: string, to: string): void {
  sync(temporary)
  try {
    // Unlike a rename it overwrites nothing.
    linkSync(temporary, to)
  } catch (error) {
    const isThere = (error instanceof Error && 'code' in error && error.code === 'EEXIST') || existsSync(to)
    if (isThere) throw Object.assign(new Error(`${to} exists`, { cause: error }), { code: 'EEXIST', syscall: 'link' })
    // Some file systems, as on memory sticks, have no links.
    renameSync(temporary, to)
  }
  sync(dirname(to))
}

export function sync(path: string): void {
  // Windows cannot open a folder.
  if (process.platform === 'win32') return
  const file = openSync(path, 'r')
  try {
    fsyncSync(file)
  } finally {
    closeSync(file)
  }
}

/** Whether two paths mean the same file. */
export function isSameFile(one: string, other: string): boolean {
  if (!existsSync(one) || !existsSync(other)) return false
  const [a, b] = [statSync(one, { bigint: true }), statSync(other, { bigint: true })]
  return a.dev === b.dev && a.ino === b.ino
}
