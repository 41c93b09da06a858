// `guildhall after-restore`: ends sessions, links and mails of a database that was put back by other means.
import { systemClock } from '../domain/clock.ts'
import { redactDatabaseUrl } from '../domain/database-url.ts'
import { configOf } from '../server/config.ts'
import { readEnvironment } from '../server/env.ts'
import { type Ended, endAfterRestore } from '../storage/after-restore.ts'
import { openDatabase } from '../storage/open.ts'
import { confirm } from './confirm.ts'
import { CommandError, IN_MEMORY, type Json, plural, print, printJson, refuseMissing, report } from './terminal.ts'

export interface AfterRestoreOptions extends Json {
  /** Does not ask. */
  readonly yes?: boolean
}

/** Opens the database alone: a membership would begin to send the mails that wait. */
export async function endAll({ yes, json }: AfterRestoreOptions): Promise<void> {
  const config = configOf(readEnvironment())
  const { database, databaseFile: file } = config
  try {
    if (file === undefined && database.startsWith('sqlite:')) throw new CommandError(IN_MEMORY)
    refuseMissing(file)
    const db = openDatabase(database)
    try {
      await db.check()
      const question = `End every session of ${redactDatabaseUrl(database)}, every mailed link and every mail that waits?`
      if (!yes) await confirm(question, '--yes')
      const ended = await endAfterRestore(db, systemClock.now())
      if (json) return printJson(ended)
      print(inWords(ended))
    } finally {
      await db.close()
    }
  } catch (error) {
    await report(error, config)
  }
}

function inWords({ users, sessions, tokens, flows, mails }: Ended): string {
  const links = plural(tokens + flows, 'mailed link or step', 'mailed links and steps')
  return `${plural(users, 'account')} must log in anew: ended are ${plural(sessions, 'session')}, ${links}, and ${plural(mails, 'mail')} that waited.`
}
