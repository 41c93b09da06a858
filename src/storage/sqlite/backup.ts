// Copies of the SQLite database: taken while the site runs, and put back, also while it runs.
import { accessSync, constants, copyFileSync, existsSync, mkdirSync, renameSync, rmSync } from 'node:fs'
import { dirname } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { StoreBusyError } from '../../database/sqlite/busy.ts'
import { openReadOnly, SIDECARS } from '../../database/sqlite/connection.ts'
import { backup, DatabaseSync } from '../../database/sqlite/driver.ts'
import { isNoDatabase } from '../../database/sqlite/error-codes.ts'
import { systemClock } from '../../domain/clock.ts'
import { endAfterRestore } from '../after-restore.ts'
import { OtherSchemaError, SCHEMA_VERSION, SELECT_SCHEMA } from '../schema-state.ts'
import { isSameFile, renameAtomically, sync, withTemporaryFile } from './atomic-file.ts'
import { openSqlite } from './database.ts'
import { describeForeign, readObjects } from './foreign-objects.ts'

type Reason = 'missing' | 'forbidden' | 'same' | 'unsound' | 'newer' | 'foreign'

/** A file that cannot be restored, or a database that is not worth a copy; nothing was changed. */
export class InvalidBackupError extends Error {
  override readonly name = 'InvalidBackupError'
  readonly reason: Reason
  /** The objects that are not ours. */
  readonly what: string

  constructor(reason: Reason, { cause, what = '' }: { readonly cause?: unknown; readonly what?: string } = {}) {
    super(`this file is no backup: ${reason}`, { cause })
    this.reason = reason
    this.what = what
  }
}

/**
 * Makes a consistent copy, readable by its owner alone. Resolves with the foreign objects for which a restore would refuse it. Throws
 * EEXIST if the file exists, InvalidBackupError if the database is damaged, OtherSchemaError if the copy could not be restored.
 */
export async function backUp(database: string, to: string): Promise<string | undefined> {
  let foreign: string | undefined
  await withTemporaryFile(to, async (temporary) => {
    await copyPages(database, temporary)
    inFile(temporary, (copy) => {
      if (!isSound(copy)) throw new InvalidBackupError('unsound')
      // One file, readable from a read-only medium.
      copy.exec('PRAGMA journal_mode = DELETE')
    })
    await refuseUnrestorable(temporary)
    foreign = inFile(temporary, (copy) => describeForeign(readObjects(copy), versionOf(copy)))
    renameAtomically(temporary, to)
  })
  return foreign
}

async function refuseUnrestorable(file: string): Promise<void> {
  const database = openSqlite(file, { readOnly: true })
  try {
    await database.check()
  } catch (error) {
    // An older copy is migrated when it is restored.
    const isOlder = error instanceof OtherSchemaError && error.code === 'schema_older' && error.version > 0
    if (!isOlder) throw error
  } finally {
    await database.close()
  }
}

/** Opens a copy that may replace the database; throws InvalidBackupError if it may not. Changes nothing and leaves no file. */
export function openCopy(from: string, database: string): DatabaseSync {
  if (!existsSync(from)) throw new InvalidBackupError('missing')
  if (isSameFile(from, database)) throw new InvalidBackupError('same')
  let copy: DatabaseSync | undefined
  try {
    accessSync(from, constants.R_OK)
    copy = openReadOnly(from)
    // What is checked now is what is restored later.
    copy.exec('BEGIN')
    const version = isSound(copy) ? versionOf(copy) : 0
    if (version === 0) throw new InvalidBackupError('unsound')
    if (version > SCHEMA_VERSION) throw new InvalidBackupError('newer')
    const what = describeForeign(readObjects(copy), version)
    if (what !== undefined) throw new InvalidBackupError('foreign', { what })
    return copy
  } catch (error) {
    copy?.close()
    if (error instanceof InvalidBackupError) throw error
    const isForbidden = error instanceof Error && 'code' in error && error.code === 'EACCES'
    throw new InvalidBackupError(isForbidden ? 'forbidden' : 'unsound', { cause: error })
  }
}

/**
 * Replaces the database by a copy from `openCopy` in one transaction, and keeps the old one at `kept`: readers see the old or the new. The
 * sessions, links and mails of the copy are left out, as one that was ended, used or sent meanwhile would live again.
 */
export async function restore(copy: DatabaseSync, database: string, kept: string | undefined): Promise<void> {
  mkdirSync(dirname(database), { recursive: true, mode: 0o700 })
  await withTemporaryFile(database, async (temporary) => {
    await backup(copy, temporary)
    await prepare(temporary)
    if (kept === undefined) {
      removeSidecars(database)
      return renameAtomically(temporary, database)
    }
    await keep(database, kept)
    try {
      await replace(database, temporary)
    } catch (error) {
      rmSync(kept, { force: true })
      throw error
    }
  })
}

/** Like a backup, but even of a damaged or foreign database. */
async function keep(database: string, to: string): Promise<void> {
  await withTemporaryFile(to, async (temporary) => {
    try {
      await copyPages(database, temporary)
    } catch (error) {
      if (!isNoDatabase(error)) throw error
      copyFileSync(database, temporary)
    }
    renameAtomically(temporary, to)
  })
}

async function copyPages(database: string, temporary: string): Promise<void> {
  const source = new DatabaseSync(database, { readOnly: true })
  try {
    await backup(source, temporary)
  } finally {
    source.close()
  }
}

/** Migrated, without sessions, links and mails, and in one file; with epochs that no account ever had, as sessions in Redis outlive it. */
async function prepare(temporary: string): Promise<void> {
  try {
    const database = openSqlite(temporary)
    try {
      await database.migrate()
      await endAfterRestore(database, systemClock.now())
    } finally {
      await database.close()
    }
    inFile(temporary, (copy) => copy.exec('PRAGMA journal_mode = DELETE'))
  } catch (error) {
    throw new InvalidBackupError('unsound', { cause: error })
  }
}

async function replace(database: string, temporary: string): Promise<void> {
  try {
    const pageSize = inFile(database, pageSizeOf)
    const source = new DatabaseSync(temporary)
    try {
      // SQLite copies only between equal page sizes, and changes the size by rewriting the file.
      if (pageSizeOf(source) !== pageSize) source.exec(`PRAGMA page_size = ${pageSize}; VACUUM`)
      await withRetry(() => backup(source, database))
    } finally {
      source.close()
    }
  } catch (error) {
    if (!isNoDatabase(error)) throw error
    // A file that is no database has no transactions.
    removeSidecars(database)
    renameSync(temporary, database)
    sync(dirname(database))
  }
}

/** Sidecar files of a database that is gone: SQLite would read them into the new one. */
function removeSidecars(database: string): void {
  for (const end of SIDECARS) rmSync(database + end, { force: true })
}

const TRIES = 100
const PAUSE_MS = 50

/** Tries again while somebody else writes: SQLite then fails with busy, and has changed nothing. */
async function withRetry(work: () => Promise<unknown>): Promise<void> {
  for (let left = TRIES; ; left--) {
    try {
      await work()
      return
    } catch (error) {
      const busy = error instanceof Error && /locked|busy|not an error/i.test(error.message)
      if (!busy) throw error
      if (left === 1) throw new StoreBusyError(error)
      await setTimeout(PAUSE_MS)
    }
  }
}

function isSound(database: DatabaseSync): boolean {
  return database.prepare('PRAGMA integrity_check(1)').get()?.integrity_check === 'ok'
}

/** The version of our schema; 0 if there is none. */
function versionOf(database: DatabaseSync): number {
  const tables = database
    .prepare("SELECT count(*) AS found FROM sqlite_schema WHERE name IN ('guildhall_schema', 'guildhall_users')")
    .get()
  return tables?.found === 2 ? Number(database.prepare(SELECT_SCHEMA).get()?.version ?? 0) : 0
}

function pageSizeOf(database: DatabaseSync): number {
  return Number(database.prepare('PRAGMA page_size').get()?.page_size)
}

function inFile<T>(file: string, work: (database: DatabaseSync) => T): T {
  const database = new DatabaseSync(file)
  try {
    return work(database)
  } finally {
    database.close()
  }
}
