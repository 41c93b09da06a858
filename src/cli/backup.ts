// `guildhall backup | restore`: a copy of the database while the site runs, and back.
import { existsSync } from 'node:fs'
import { systemClock } from '../domain/clock.ts'
import type { Config } from '../server/config.ts'
import { readEnvironment } from '../server/env.ts'
import { configOf } from '../server/read-config.ts'
import { backUp, NoBackup, restore } from '../storage/backup.ts'
import { confirm } from './confirm.ts'
import { CommandFailed, report, say, sayJson, t } from './terminal.ts'
import { inHouse } from './with-house.ts'

export async function makeBackup(to: string, { json }: { readonly json: boolean }): Promise<void> {
  await withFile(async (_config, file) => {
    if (!existsSync(file)) throw new CommandFailed(t('cli.no_database', { file }))
    await copyTo(file, to)
    if (json) return sayJson({ backup: to })
    say(t('cli.backup_made', { file: to }))
  })
}

export async function restoreBackup(
  from: string,
  { yes, json }: { readonly yes: boolean; readonly json: boolean },
): Promise<void> {
  await withFile(async (config, file) => {
    if (!existsSync(from)) throw new CommandFailed(t('cli.no_file', { file: from }))
    if (!yes) await confirm(t('cli.restore_question', { file, from }), '--yes')
    // What is there now is kept: nothing is lost by restoring the wrong file.
    const kept = existsSync(file) ? `${file}.before-restore-${stamp()}` : undefined
    if (kept !== undefined) await copyTo(file, kept)
    try {
      // Makes the file and its folder where they are missing, and afterwards brings an older copy up to date.
      await inHouse(config, (house) => house.membership.migrate())
      await restore(from, file)
      await inHouse(config, (house) => house.membership.migrate())
    } catch (error) {
      if (error instanceof NoBackup) throw new CommandFailed(t(`cli.restore_${error.reason}`, { file: from }))
      throw error
    }
    if (json) return sayJson({ restored: from, kept: kept ?? null })
    say(kept === undefined ? t('cli.restored', { file: from }) : t('cli.restored_kept', { file: from, kept }))
  })
}

async function copyTo(database: string, to: string): Promise<void> {
  try {
    await backUp(database, to)
  } catch (error) {
    if (!(error instanceof Error && 'syscall' in error)) throw error
    const exists = 'code' in error && error.code === 'EEXIST'
    throw new CommandFailed(t(exists ? 'cli.file_exists' : 'cli.file_unwritable', { file: to }))
  }
}

async function withFile(work: (config: Config, file: string) => Promise<void>): Promise<void> {
  const config = configOf(readEnvironment())
  try {
    if (config.databaseFile === undefined) throw new CommandFailed(t('cli.backup_needs_file'))
    await work(config, config.databaseFile)
  } catch (error) {
    await report(error, config)
  }
}

/** `20261123-140512`, UTC: names sort by time. */
function stamp(): string {
  return new Date(systemClock.now()).toISOString().slice(0, 19).replace(/[-:]/g, '').replace('T', '-')
}
