// `guildhall copy`: copies a database into an empty one, sessions included; resumes if run again.
import { existsSync, realpathSync } from 'node:fs'
import { RedisConnection } from '../database/redis/connection.ts'
import { isRedisUrl, postgresUrl, readDatabaseUrl, redactDatabaseUrl } from '../domain/database-url.ts'
import type { Config } from '../server/config.ts'
import { readEnvironment } from '../server/env.ts'
import { explainFailure } from '../server/explain-failure.ts'
import { copyDatabase, type Progress } from '../storage/copy/copy.ts'
import { type CopiedTable, CopyOpenError, CopyRefusedError, REDIS_SESSIONS, type Refusal } from '../storage/copy/copy-database.ts'
import { RedisTarget } from '../storage/copy/redis-target.ts'
import { table } from './columns.ts'
import { CommandError, FAILURE, type Json, print, printError, printJson, refuseMissing, report, UsageError } from './terminal.ts'

export interface CopyCommandOptions extends Json {
  readonly from: string
  readonly to: string
  /** `true`: the Redis of the settings. */
  readonly redis?: string | true
  readonly redisPrefix?: string
}

type Location = Pick<Config, 'database' | 'databaseFile'>

interface RedisSessions {
  readonly connection: RedisConnection
  readonly prefix: string
  /** The URL without password, and the prefix. */
  readonly redacted: string
}

/** Source and target without passwords. */
interface Redacted {
  readonly from: string
  readonly to: string
  readonly redis?: string
}

type Named = Readonly<Record<string, string>>

const TEXTS: Readonly<Record<Refusal, (named: Named) => string>> = {
  busy: ({ from, to }) =>
    `${from} and ${to} are the same database, or another copy is at work with one of them. Nothing was changed.`,
  finished: ({ from, to }) =>
    `${to} is a finished copy of ${from} already: open the new site with it. To copy once more, name an empty database; nothing was changed.`,
  foreign: ({ to }) => `${to} has data that this copy did not bring. Name an empty database; nothing was changed.`,
  other_source: ({ source, to }) => `${to} is an unfinished copy of ${source}. Name an empty database; nothing was changed.`,
  null: ({ column, key, table }) =>
    `A row of ${table} has a null character in ${column}, which PostgreSQL cannot hold: ${key}. Change it in the source, then run this again.`,
  redis: ({ redis }) =>
    `Redis has sessions already that this copy did not bring, at ${redis}. Empty it, or name another prefix; nothing was changed.`,
}

export async function copy(options: CopyCommandOptions): Promise<void> {
  const from = readLocation('--from', options.from)
  const to = readLocation('--to', options.to)
  const sessions = readSessions(options)
  const redacted = {
    from: redactDatabaseUrl(from.database),
    to: redactDatabaseUrl(to.database),
    ...(sessions && { redis: sessions.redacted }),
  }
  try {
    refuseMissing(from.databaseFile)
    // Opened first, so that loading the package does not count as a slow answer.
    await sessions?.connection.open()
    const copied = await copyDatabase({
      from: from.database,
      to: to.database,
      name: [nameOf(from), ...(sessions ? [sessions.redacted] : [])].join(' -> '),
      redis: sessions && new RedisTarget(sessions.connection, sessions.prefix),
      onProgress: process.stderr.isTTY ? showProgress : () => {},
    })
    if (process.stderr.isTTY) process.stderr.write(CLEAR_LINE)
    printOutcome(copied, redacted, options)
  } catch (error) {
    await reportFailure(error, { from, to }, redacted)
  } finally {
    await sessions?.connection.close()
  }
}

function printOutcome(copied: readonly CopiedTable[], redacted: Redacted, { json }: Json): void {
  const different = copied.filter(({ same }) => !same).map((one) => one.table)
  if (different.length > 0) process.exitCode = FAILURE
  if (json === true) {
    const { [REDIS_SESSIONS]: redisSessions, ...tables } = Object.fromEntries(
      copied.map(({ table: name, ...counts }) => [name, counts]),
    )
    printJson({ ...redacted, complete: different.length === 0, tables, redisSessions })
  } else {
    const rows = copied.map((one) => [one.table, one.source.toLocaleString('en'), one.target.toLocaleString('en')])
    print(table([['What', 'Source', 'Target'], ...rows]))
  }
  if (different.length > 0)
    return printError(
      `${redacted.to} is not the same in ${different.join(', ')}: one of the two was changed meanwhile. It cannot be served as it is: empty it, see to it that nobody writes to either, and run this again.`,
    )
  if (json === true) return
  print(
    `\n${redacted.to} is the copy of ${redacted.from} now: as many rows in every table${redacted.redis === undefined ? '' : ', as many sessions in Redis'}, and those that were compared are the same.\nDo not start the old site again. Open the new one with the same SECRET and PASSWORD_PEPPER.`,
  )
  if (redacted.redis === undefined && readEnvironment().values.has('REDIS_URL'))
    print(
      'The sessions are in the database. A site with REDIS_URL does not read them there: add --redis, or everybody has to log in again.',
    )
}

function readLocation(flag: string, text: string): Location {
  const location = readDatabaseUrl(text)
  const isInMemory = location?.databaseFile === undefined && text.startsWith('sqlite:')
  if (!location || isInMemory) throw new UsageError(`${flag} takes sqlite: and the path of a file, or postgres://...`)
  return location
}

/** Identifies a database, whatever the working folder and the database user. */
function nameOf({ database, databaseFile }: Location): string {
  if (databaseFile !== undefined) return `sqlite:${existsSync(databaseFile) ? realpathSync(databaseFile) : databaseFile}`
  const params = postgresUrl(database)?.searchParams
  // Schemas (`options`) of one database differ, and a socket is named by its folder (`host`).
  const more = ['host', 'options'].map((name) => params?.get(name)).filter((value) => typeof value === 'string')
  return [redactDatabaseUrl(database), ...more].join(' ')
}

function readSessions({ redis, redisPrefix }: CopyCommandOptions): RedisSessions | undefined {
  if (redisPrefix !== undefined && (redis === undefined || !/^[\w:.-]{1,64}$/.test(redisPrefix)))
    throw new UsageError('--redis-prefix has 1 to 64 letters, digits or any of :._-, and stands beside --redis.')
  if (redis === undefined) return undefined
  const url = redis === true ? readEnvironment().values.get('REDIS_URL') : redis
  if (url === undefined || !isRedisUrl(url))
    throw new UsageError('--redis takes redis://... or rediss://..., or nothing where REDIS_URL is set.')
  const prefix = redisPrefix ?? 'guildhall:'
  const { host, pathname } = new URL(url)
  return { connection: new RedisConnection(url), prefix, redacted: `redis://${host}${pathname} ${prefix}` }
}

async function reportFailure(
  error: unknown,
  ends: { readonly from: Location; readonly to: Location },
  redacted: Redacted,
): Promise<void> {
  if (error instanceof CopyRefusedError) return report(new CommandError(TEXTS[error.reason]({ ...redacted, ...error.values })))
  // Once both are open, a file that fails is the target, which is written.
  const file = error instanceof CopyOpenError ? ends[error.end].databaseFile : (ends.to.databaseFile ?? ends.from.databaseFile)
  const settings = { port: 0, host: '', databaseFile: file }
  if (!(error instanceof CopyOpenError)) return report(error, settings)
  const message = explainFailure(error.cause, settings)
  if (message === undefined) return report(error.cause)
  return report(new CommandError(`${redacted[error.end]}: ${message}`))
}

const CLEAR_LINE = '\r\u001b[K'
const PROGRESS_INTERVAL_MS = 100
let printedAt = Number.NEGATIVE_INFINITY

/** Overwrites one line. */
function showProgress({ table: name, rows, of }: Progress): void {
  const now = performance.now()
  if (now - printedAt < PROGRESS_INTERVAL_MS && rows < of) return
  printedAt = now
  process.stderr.write(`${CLEAR_LINE}${name}: ${rows} of ${of}`)
}
