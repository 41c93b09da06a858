// Checks the database: its file, its schema, foreign objects, and peppers of passwords.
import { accessSync, constants, existsSync, statSync } from 'node:fs'
import { dirname } from 'node:path'
import { MAX_CONNECTIONS } from '../../database/postgres/pool.ts'
import type { Logger } from '../../domain/logger.ts'
import { newToken, Secret } from '../../domain/secret.ts'
import type { Config } from '../../server/config.ts'
import { describeDangling } from '../../server/explain-failure.ts'
import type { Internals } from '../../server/open-membership.ts'
import { connectionsAllowed, foreignActs, passwordsAfter, quickCheck, schemaObjects } from '../../storage/inspect.ts'
import { OtherSchemaError, SCHEMA_VERSION } from '../../storage/schema-state.ts'
import { describeForeign } from '../../storage/sqlite/foreign-objects.ts'
import { inMembership } from '../with-membership.ts'
import { error, type Finding, failed, ok, warning } from './finding.ts'

const PAGE = 500
const SILENT: Logger = { debug() {}, info() {}, warn() {}, error() {} }

export async function checkDatabase(config: Config): Promise<readonly Finding[]> {
  const { databaseFile: file } = config
  if (file === undefined && config.database.startsWith('sqlite:'))
    return [warning('The database is in memory: everybody is forgotten at the next start.')]
  if (file !== undefined && !existsSync(file)) return [checkMissing(file)]
  if (file !== undefined && (!isWritable(file) || !isWritable(dirname(file)))) return [error(unwritable(file))]
  try {
    const findings: Finding[] = []
    // With a secret, none is made in a file.
    const readOnly = config.secrets.length > 0 ? config : { ...config, secrets: [new Secret(newToken())] }
    const check = async (internals: Internals) => {
      const schema = await checkSchema(internals, config)
      findings.push(schema, await (file === undefined ? checkServer(internals, config) : checkSoundness(internals)))
      if (schema.mark === 'ok') findings.push(...(await checkForeign(internals, config)))
      // In another schema the passwords may be elsewhere.
      if (schema.mark === 'ok') findings.push(await checkPepper(internals))
    }
    // Redis has a check of its own, and warnings about the file are findings already.
    const { redis: _redis, ...membership } = readOnly.membership
    await inMembership({ ...readOnly, membership }, check, SILENT)
    return findings
  } catch (failure) {
    return [failed(failure, config)]
  }
}

/** Checks whether the first start can create the file. */
function checkMissing(file: string): Finding {
  const dangling = describeDangling(file)
  if (dangling !== undefined) return error(dangling)
  const folder = nearestFolder(file)
  if (!statSync(folder).isDirectory()) return error(`DATABASE_URL leads through something that is no folder: ${folder}`)
  return isWritable(folder) ? warning(`There is no database at ${file} yet; the first start makes it.`) : error(unwritable(file))
}

async function checkSchema({ core }: Internals, config: Config): Promise<Finding> {
  try {
    await core.db.check()
    return ok('The database has the schema of this program.')
  } catch (failure) {
    const isEmpty = failure instanceof OtherSchemaError && failure.code === 'schema_older' && failure.version === 0
    if (isEmpty) return warning('There is nothing of Guildhall in the database yet; the first start puts it there.')
    return failed(failure, config)
  }
}

async function checkSoundness({ core }: Internals): Promise<Finding> {
  const rows = await core.db.all(quickCheck, {})
  const isSound = rows.length === 1 && rows[0] === 'ok'
  return isSound ? ok('The database file is sound.') : error('The database file is damaged: stop the site and restore a backup.')
}

/** Foreign triggers and functions on our tables would run with every login. */
async function checkForeign({ core: { db } }: Internals, { databaseFile }: Config): Promise<readonly Finding[]> {
  const onServer = databaseFile === undefined
  const what = onServer
    ? (await db.all(foreignActs, {})).join(', ')
    : describeForeign(await db.all(schemaObjects, {}), SCHEMA_VERSION)
  if (!what) return []
  return [
    error(`The database has ${what}, not as Guildhall makes it: it could make anybody an administrator. Find out whose it is.`),
  ]
}

/** A server checks its own files, but reports too many connections only when it is too late. */
async function checkServer({ core }: Internals, { workers = 1 }: Config): Promise<Finding> {
  const allowed = (await core.db.first(connectionsAllowed, {})) ?? 0
  const needed = workers * MAX_CONNECTIONS
  if (needed <= allowed) return ok('The database server answers.')
  return warning(
    `The workers open up to ${needed} connections, PostgreSQL takes ${allowed} from everybody: fewer WORKERS, a larger max_connections, or pgbouncer in front of it.`,
  )
}

/** Counts the users who cannot log in because their pepper is no longer set. */
async function checkPepper({ core }: Internals): Promise<Finding> {
  let lockedOut = 0
  let after = ''
  for (;;) {
    const page = await core.db.all(passwordsAfter, { after, limit: PAGE })
    lockedOut += page.filter(({ passwordHash }) => core.passwords.hasNoPepper(passwordHash)).length
    after = page.at(-1)?.id ?? ''
    if (page.length < PAGE) break
  }
  if (lockedOut === 0) return ok('Every password can be checked with the peppers that are set.')
  const who =
    lockedOut === 1 ? 'One account cannot log in: its password was' : `${lockedOut} accounts cannot log in: their passwords were`
  return error(`${who} hashed with a pepper that is not set. Add the old one to PASSWORD_PEPPER, after a comma.`)
}

function isWritable(path: string): boolean {
  try {
    accessSync(path, constants.R_OK | constants.W_OK)
    return true
  } catch {
    return false
  }
}

function nearestFolder(file: string): string {
  const folder = dirname(file)
  return existsSync(folder) || folder === dirname(folder) ? folder : nearestFolder(folder)
}

function unwritable(file: string): string {
  return `${dirname(file)} cannot be written: give this user the right to, or write another DATABASE_URL.`
}
