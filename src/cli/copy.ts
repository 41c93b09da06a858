// `guildhall copy`: from one database into an empty one, sessions included. Stopped and run again, it goes on.
import { existsSync, realpathSync } from 'node:fs'
import { RedisConnection } from '../database/redis/connection.ts'
import type { Config } from '../server/config.ts'
import { readEnvironment } from '../server/env.ts'
import { explainFailure } from '../server/explain-failure.ts'
import { postgresUrl, readDatabase, shownDatabase } from '../server/redact-database-url.ts'
import { isRedisUrl } from '../settings/check.ts'
import { copyDatabase, type Progress } from '../storage/copy/copy.ts'
import { RedisTarget } from '../storage/copy/redis-target.ts'
import { CopyRefusedError, CopySideError, type Refusal } from '../storage/copy/refused.ts'
import type { CopiedTable } from '../storage/copy/side.ts'
import { table } from './columns.ts'
import { CommandFailed, complain, FAILURE, report, say, sayJson, t, UsageError } from './terminal.ts'

export interface CopyOptions {
  readonly from: string
  readonly to: string
  /** True: that of the settings. */
  readonly redis?: string | true
  readonly redisPrefix?: string
  readonly json?: boolean
}

type Place = Pick<Config, 'database' | 'databaseFile'>

interface Sessions {
  readonly connection: RedisConnection
  readonly prefix: string
  /** As it may be shown: no password. */
  readonly shown: string
}

const TEXTS = {
  busy: 'cli.copy.busy',
  foreign: 'cli.copy.foreign',
  other_source: 'cli.copy.other_source',
  null: 'cli.copy.null',
  redis: 'cli.copy.redis_taken',
} as const satisfies Record<Refusal, string>

export async function copy(options: CopyOptions): Promise<void> {
  const from = placeOf('--from', options.from)
  const to = placeOf('--to', options.to)
  const sessions = sessionsPlace(options)
  const shown = { from: shownDatabase(from), to: shownDatabase(to), ...(sessions && { redis: sessions.shown }) }
  try {
    if (from.databaseFile !== undefined && !existsSync(from.databaseFile))
      throw new CommandFailed(t('cli.no_database', { file: from.databaseFile }))
    // Loading the package is not taken for a Redis that is away.
    await sessions?.connection.open()
    const copied = await copyDatabase({
      from: from.database,
      to: to.database,
      name: [nameOf(from), ...(sessions ? [sessions.shown] : [])].join(' -> '),
      redis: sessions && new RedisTarget(sessions.connection, sessions.prefix),
      onProgress: process.stderr.isTTY ? showProgress : () => {},
    })
    if (process.stderr.isTTY) process.stderr.write(CLEAR_LINE)
    tellOutcome(copied, shown, options)
  } catch (error) {
    await reportFailure(error, { from, to }, shown)
  } finally {
    await sessions?.connection.close()
  }
}

function tellOutcome(
  copied: readonly CopiedTable[],
  shown: { readonly from: string; readonly to: string; readonly redis?: string },
  { json }: CopyOptions,
): void {
  const different = copied.filter(({ same }) => !same).map((one) => one.table)
  if (different.length > 0) process.exitCode = FAILURE
  if (json === true) {
    const tables = Object.fromEntries(copied.map(({ table: name, ...counts }) => [name, counts]))
    sayJson({ ...shown, complete: different.length === 0, tables })
  } else {
    const head = (['table', 'source', 'target'] as const).map((column) => t(`cli.copy.column.${column}`))
    say(table([head, ...copied.map((one) => [one.table, ...[one.source, one.target].map(inDigits)])]))
  }
  if (different.length > 0) return complain(t('cli.copy.differs', { ...shown, tables: different.join(', ') }))
  if (json === true) return
  say(`\n${t('cli.copy.done', shown)}\n${t('cli.copy.next')}`)
  if (shown.redis === undefined && readEnvironment().values.has('REDIS_URL')) say(t('cli.copy.redis_unread'))
}

function inDigits(n: number): string {
  return n.toLocaleString(t.locale)
}

function placeOf(flag: string, text: string): Place {
  const place = readDatabase(text)
  const isInMemory = place?.databaseFile === undefined && text.startsWith('sqlite:')
  if (!place || isInMemory) throw new UsageError(t('cli.copy.database', { flag }))
  return place
}

/** What a database is called by, wherever the command runs from and whoever logs in to it. */
function nameOf(place: Place): string {
  if (place.databaseFile !== undefined)
    return `sqlite:${existsSync(place.databaseFile) ? realpathSync(place.databaseFile) : place.databaseFile}`
  const params = postgresUrl(place.database)?.searchParams
  // Two schemas of one database are two; a socket is named by its folder.
  const more = ['host', 'options'].map((name) => params?.get(name)).filter((value) => typeof value === 'string')
  return [shownDatabase(place), ...more].join(' ')
}

function sessionsPlace({ redis, redisPrefix }: CopyOptions): Sessions | undefined {
  if (redisPrefix !== undefined && (redis === undefined || !/^[\w:.-]{1,64}$/.test(redisPrefix)))
    throw new UsageError(t('cli.copy.redis_prefix'))
  if (redis === undefined) return undefined
  const url = redis === true ? readEnvironment().values.get('REDIS_URL') : redis
  if (url === undefined || !isRedisUrl(url)) throw new UsageError(t('cli.copy.redis'))
  const prefix = redisPrefix ?? 'guildhall:'
  const { host, pathname } = new URL(url)
  return { connection: new RedisConnection(url), prefix, shown: `redis://${host}${pathname} ${prefix}` }
}

async function reportFailure(
  error: unknown,
  sides: { readonly from: Place; readonly to: Place },
  shown: { readonly from: string; readonly to: string; readonly redis?: string },
): Promise<void> {
  if (error instanceof CopyRefusedError) return report(new CommandFailed(t(TEXTS[error.reason], { ...shown, ...error.values })))
  // Once both are open, a file that fails is the one that is written.
  const file =
    error instanceof CopySideError ? sides[error.side].databaseFile : (sides.to.databaseFile ?? sides.from.databaseFile)
  const told = { port: 0, host: '', databaseFile: file }
  if (!(error instanceof CopySideError)) return report(error, told)
  const message = explainFailure(error.cause, told, t)
  if (message === undefined) return report(error.cause)
  return report(new CommandFailed(t('cli.copy.failed', { database: shown[error.side], message })))
}

const CLEAR_LINE = '\r\u001b[K'
const OFTEN_MS = 100
let shownAt = Number.NEGATIVE_INFINITY

/** One line that is written over. */
function showProgress({ table: name, rows, of }: Progress): void {
  const now = performance.now()
  if (now - shownAt < OFTEN_MS && rows < of) return
  shownAt = now
  process.stderr.write(`${CLEAR_LINE}${t('cli.copy.progress', { table: name, rows, of })}`)
}
