// Opens the house for one command, with the settings of the server, and closes it afterwards.
import { existsSync } from 'node:fs'
import type { Logger } from '../core/core.ts'
import type { Config } from '../server/config.ts'
import { readEnvironment } from '../server/env.ts'
import { type House, openHouse } from '../server/house.ts'
import { configOf } from '../server/read-config.ts'
import { CommandFailed, complain, report, t } from './terminal.ts'

/** A command that meets no database makes one, or says that there is none. */
export async function withHouse(whereMissing: 'make it' | 'refuse', work: (house: House) => Promise<void>): Promise<void> {
  const config = configOf(readEnvironment())
  try {
    const isNew = isMissing(config)
    if (isNew && whereMissing === 'refuse')
      throw new CommandFailed(t('cli.no_database', { file: config.databaseFile ?? config.database }))
    await inHouse(config, async (house) => {
      // A database that is there is migrated by `serve` and `migrate` alone: an older server may be running on it.
      await (isNew ? house.membership.migrate() : house.core.db.check())
      await work(house)
    })
  } catch (error) {
    await report(error, config)
  }
}

/** A file that is not there, or a database in memory. A server tells by itself whether its database was migrated. */
function isMissing({ database, databaseFile }: Config): boolean {
  if (databaseFile !== undefined) return !existsSync(databaseFile)
  return database.startsWith('sqlite:')
}

export async function inHouse(config: Config, work: (house: House) => Promise<void>): Promise<void> {
  const house = openHouse(config, { port: config.port, logger: terminalLogger })
  try {
    await work(house)
  } finally {
    await house.membership.close()
  }
}

const terminalLogger: Logger = {
  debug() {},
  info() {},
  warn: (_fields, message) => complain(message),
  error: (_fields, message) => complain(message),
}
