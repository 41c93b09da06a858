// `guildhall backup | restore`: a copy of the database while the site runs, and back.
import { existsSync } from 'node:fs'
import { systemClock } from '../domain/clock.ts'
import { readEnvironment } from '../server/env.ts'
import { configOf } from '../server/read-config.ts'
import { backUp, NoBackup, openCopy, restore } from '../storage/sqlite/backup.ts'
import { confirm } from './confirm.ts'
import { CommandFailed, report, say, sayJson, t } from './terminal.ts'

export async function makeBackup(to: string, { json }: { readonly json: boolean }): Promise<void> {
  await withFile(async (file) => {
    if (!existsSync(file)) throw new CommandFailed(t('cli.no_database', { file }))
    if (existsSync(to)) throw new CommandFailed(t('cli.file_exists', { file: to }))
    try {
      await backUp(file, to)
    } catch (error) {
      if (error instanceof NoBackup) throw new CommandFailed(t('cli.failure.damaged', { file }))
      if (!(error instanceof Error && 'syscall' in error)) throw error
      const exists = 'code' in error && error.code === 'EEXIST'
      throw new CommandFailed(t(exists ? 'cli.file_exists' : 'cli.file_unwritable', { file: to }))
    }
    if (json) return sayJson({ backup: to })
    say(t('cli.backup_made', { file: to }))
  })
}

export async function restoreBackup(
  from: string,
  { yes, json }: { readonly yes: boolean; readonly json: boolean },
): Promise<void> {
  await withFile(async (file) => {
    // What is there now is kept: nothing is lost by restoring the wrong file.
    const kept = existsSync(file) ? `${file}.before-restore-${stamp()}` : undefined
    try {
      const copy = openCopy(from, file)
      try {
        if (!yes) await confirm(t('cli.restore_question', { file, from }), '--yes')
        await restore(copy, file, kept)
      } finally {
        copy.close()
      }
    } catch (error) {
      if (error instanceof NoBackup) throw new CommandFailed(t(`cli.restore_${error.reason}`, { file: from }))
      throw error
    }
    if (json) return sayJson({ restored: from, kept: kept ?? null })
    say(kept === undefined ? t('cli.restored', { file: from }) : t('cli.restored_kept', { file: from, kept }))
  })
}

async function withFile(work: (file: string) => Promise<void>): Promise<void> {
  const config = configOf(readEnvironment())
  try {
    if (!config.database.startsWith('sqlite:')) throw new CommandFailed(t('cli.backup_needs_file'))
    if (config.databaseFile === undefined) throw new CommandFailed(t('cli.database_in_memory'))
    await work(config.databaseFile)
  } catch (error) {
    await report(error, config)
  }
}

/** `20261123-140512-087`, UTC: names sort by time, and two restores in a second have two. */
function stamp(): string {
  return new Date(systemClock.now()).toISOString().slice(0, 23).replace(/[-:]/g, '').replace(/[T.]/g, '-')
}
