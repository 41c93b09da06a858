// Copies of the SQLite database: taken while the site runs, and put back, also while it runs.
import { closeSync, openSync } from 'node:fs'
import { backup, DatabaseSync } from 'node:sqlite'
import { SCHEMA_VERSION } from './migrations.ts'

/** A file that cannot be put back, in words for the operator. */
export class NoBackup extends Error {
  override readonly name = 'NoBackup'
  readonly reason: 'unreadable' | 'newer'

  constructor(reason: 'unreadable' | 'newer', cause?: unknown) {
    super(`this file cannot be restored: ${reason}`, { cause })
    this.reason = reason
  }
}

/** A copy of one moment, readable by its owner only. Throws EEXIST where there is a file already. */
export async function backUp(database: string, to: string): Promise<void> {
  closeSync(openSync(to, 'wx', 0o600))
  const source = new DatabaseSync(database, { readOnly: true })
  try {
    await backup(source, to)
  } finally {
    source.close()
  }
}

/**
 * Puts a copy back in one transaction: who reads meanwhile sees the old or the new. Every session ends, because one that was
 * logged out since the copy was made would live again.
 */
export async function restore(from: string, database: string): Promise<void> {
  const source = openCopy(from)
  try {
    await backup(source, database)
  } finally {
    source.close()
  }
  const restored = new DatabaseSync(database)
  try {
    restored.exec('DELETE FROM sessions')
  } finally {
    restored.close()
  }
}

/** Sound, and not from a newer program; else nothing is touched. */
function openCopy(file: string): DatabaseSync {
  let source: DatabaseSync | undefined
  try {
    source = new DatabaseSync(file, { readOnly: true })
    const sound = source.prepare('PRAGMA quick_check(1)').get()
    const version = Number(source.prepare('PRAGMA user_version').get()?.user_version ?? 0)
    if (sound?.quick_check !== 'ok' || version < 1) throw new NoBackup('unreadable')
    if (version > SCHEMA_VERSION) throw new NoBackup('newer')
    return source
  } catch (error) {
    source?.close()
    throw error instanceof NoBackup ? error : new NoBackup('unreadable', error)
  }
}
