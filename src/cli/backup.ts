// `guildhall backup | restore`: copies the database while the site runs, and puts a copy back.
import { existsSync } from 'node:fs'
import { systemClock } from '../domain/clock.ts'
import { configOf } from '../server/config.ts'
import { readEnvironment } from '../server/env.ts'
import { backUp, InvalidBackupError, openCopy, restore } from '../storage/sqlite/backup.ts'
import { confirm } from './confirm.ts'
import { CommandError, IN_MEMORY, type Json, print, printError, printJson, refuseMissing, report } from './terminal.ts'

export async function makeBackup(to: string, { json }: Json): Promise<void> {
  await withFile(async (file) => {
    refuseMissing(file)
    const exists = new CommandError(`${to} exists already. Choose another name; nothing was changed.`)
    if (existsSync(to)) throw exists
    let foreign: string | undefined
    try {
      foreign = await backUp(file, to)
    } catch (error) {
      if (error instanceof InvalidBackupError)
        throw new CommandError(`${file} is no SQLite database, or is damaged: restore a backup, or write another DATABASE_URL.`)
      if (!(error instanceof Error && 'syscall' in error)) throw error
      if ('code' in error && error.code === 'EEXIST') throw exists
      throw new CommandError(
        `${to} cannot be written: name a folder that is there and that this user may write to. Nothing was changed.`,
      )
    }
    if (foreign !== undefined)
      printError(
        `restore will refuse ${to} because of ${foreign}, which is not Guildhall's and concerns its tables: drop it there.`,
      )
    if (json) return printJson({ backup: to })
    print(`The database is copied to ${to}. It holds password hashes: keep it as safe as the database.`)
  })
}

export interface RestoreOptions extends Json {
  /** Does not ask. */
  readonly yes?: boolean
}

export async function restoreBackup(from: string, { yes, json }: RestoreOptions): Promise<void> {
  await withFile(async (file) => {
    // The present database is kept: restoring the wrong file must lose nothing.
    const kept = existsSync(file) ? `${file}.before-restore-${stamp()}` : undefined
    try {
      const copy = openCopy(from, file)
      try {
        if (!yes)
          await confirm(
            `Put ${from} in the place of ${file}? What is there now is kept beside it, and everybody is logged out.`,
            '--yes',
          )
        await restore(copy, file, kept)
      } finally {
        copy.close()
      }
    } catch (error) {
      if (error instanceof InvalidBackupError) throw new CommandError(BACKUP_ERRORS[error.reason](from, error.what))
      throw error
    }
    if (json) return printJson({ restored: from, kept: kept ?? null })
    const before = kept === undefined ? '' : ` What was there before is in ${kept}.`
    print(`${from} is restored. Everybody is logged out.${before}`)
  })
}

const BACKUP_ERRORS: Readonly<Record<InvalidBackupError['reason'], (file: string, what: string) => string>> = {
  missing: (file) => `There is no file ${file}. Nothing was changed.`,
  forbidden: (file) => `${file} cannot be read: give this user the right to. Nothing was changed.`,
  same: (file) => `${file} is the database itself. Name a copy of it; nothing was changed.`,
  unsound: (file) => `${file} is no sound copy of a Guildhall database. Nothing was changed.`,
  foreign: (file, what) =>
    `${file} has ${what}, which is not Guildhall's and concerns its tables: it could make anybody an administrator. If it is yours, drop it in the copy and make it anew afterwards. Nothing was changed.`,
  newer: (file) => `${file} was made by a newer Guildhall. Use that one to restore it; nothing was changed.`,
}

async function withFile(work: (file: string) => Promise<void>): Promise<void> {
  const config = configOf(readEnvironment())
  try {
    if (!config.database.startsWith('sqlite:'))
      throw new CommandError('The database is on a PostgreSQL server: pg_dump copies it, and pg_restore puts it back.')
    if (config.databaseFile === undefined) throw new CommandError(IN_MEMORY)
    await work(config.databaseFile)
  } catch (error) {
    await report(error, config)
  }
}

/** `20261123-140512-087`, UTC: names sort by time, and two restores in a second differ. */
function stamp(): string {
  return new Date(systemClock.now()).toISOString().slice(0, 23).replace(/[-:]/g, '').replace(/[T.]/g, '-')
}
