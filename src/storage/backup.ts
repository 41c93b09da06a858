// Copies of the SQLite database: taken while the site runs, and put back, also while it runs.
import { closeSync, openSync, rmSync } from 'node:fs'
import { backup, DatabaseSync } from 'node:sqlite'
import { setTimeout } from 'node:timers/promises'
import { systemClock } from '../domain/clock.ts'
import { newId } from '../domain/secret.ts'
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
 * Puts a copy back in one transaction: who reads meanwhile sees the old or the new. It comes without its sessions, because one that
 * was logged out since the copy was made would live again; and with epochs that no account ever had, because sessions in Redis outlive it.
 */
export async function restore(from: string, database: string): Promise<void> {
  const draft = `${database}.restoring-${newId()}`
  closeSync(openSync(draft, 'wx', 0o600))
  try {
    const copy = openCopy(from)
    try {
      await backup(copy, draft)
    } finally {
      copy.close()
    }
    const source = new DatabaseSync(draft)
    try {
      source.exec('PRAGMA journal_mode = DELETE; DELETE FROM sessions')
      // Epochs rise by one with each change: the milliseconds since 1970 are far ahead of them, and of those of an earlier restore.
      source.prepare('UPDATE users SET credential_epoch = max(credential_epoch + 1, ?)').run(systemClock.now())
      await patiently(() => backup(source, database))
    } finally {
      source.close()
    }
  } finally {
    rmSync(draft, { force: true })
  }
}

const TRIES = 100
const PAUSE_MS = 50

/** Again while somebody else writes: SQLite gives a copy up where the file is busy, and has changed nothing then. */
async function patiently(work: () => Promise<unknown>): Promise<void> {
  for (let left = TRIES; ; left--) {
    try {
      await work()
      return
    } catch (error) {
      const busy = error instanceof Error && /locked|busy|not an error/i.test(error.message)
      if (!busy || left === 1) throw error
      await setTimeout(PAUSE_MS)
    }
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
