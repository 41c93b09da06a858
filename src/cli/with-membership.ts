// Opens the membership for a command, with the settings of the server, and closes it afterwards.
import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import type { Logger } from '../domain/logger.ts'
import { type Config, configOf } from '../server/config.ts'
import { readEnvironment } from '../server/env.ts'
import { type Internals, openMembership, settingsOfConfig } from '../server/open-membership.ts'
import type { Settings } from '../settings/options.ts'
import { CommandError, IN_MEMORY, printError, refuseMissing, report } from './terminal.ts'

/** Without a database file, one is created, or the command is refused. `check` may throw before anything is opened or created. */
export async function withMembership(
  ifMissing: 'create' | 'refuse',
  work: (internals: Internals) => Promise<void>,
  check: (settings: Settings) => Promise<void> = async () => {},
): Promise<void> {
  const config = configOf(readEnvironment())
  try {
    const { database, databaseFile: file } = config
    if (file === undefined && database.startsWith('sqlite:')) throw new CommandError(IN_MEMORY)
    // On a PostgreSQL server, `check` below finds out whether the database was migrated.
    const isNew = file !== undefined && !existsSync(file)
    if (isNew && ifMissing === 'refuse') refuseMissing(file)
    await check(settingsOfConfig(config))
    await inMembership(config, async (internals) => {
      // Only `serve` and `migrate` migrate an existing database: an older server may be running on it.
      await (isNew ? internals.membership.migrate() : internals.core.db.check())
      // In the wrong folder, the operator would create users in the wrong database without noticing.
      if (isNew) printError(`There was no database at ${resolve(file)}: a new one is made.`)
      await work(internals)
    })
  } catch (error) {
    await report(error, config)
  }
}

export async function inMembership(
  config: Config,
  work: (internals: Internals) => Promise<void>,
  logger: Logger = terminalLogger,
): Promise<void> {
  const internals = openMembership(config, { port: config.port, logger, purpose: 'command' })
  try {
    await work(internals)
  } finally {
    await internals.membership.close()
  }
}

const terminalLogger: Logger = {
  debug() {},
  info() {},
  warn: (_fields, message) => printError(message),
  error: (_fields, message) => printError(message),
}
