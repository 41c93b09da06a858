// Why it did not start, in one line that says what to do. Undefined: a bug, whose stack is worth seeing.
import { dirname } from 'node:path'
import type { Translate } from '../i18n/translate.ts'
import { OtherSchemaError, SCHEMA_VERSION } from '../storage/schema-state.ts'
import { type Config, ConfigError } from './config.ts'

export function explainFailure(
  error: unknown,
  config: Pick<Config, 'port' | 'host' | 'databaseFile'> | undefined,
  t: Translate,
): string | undefined {
  if (error instanceof ConfigError) return error.faults.map(({ key, values }) => t(key, values)).join('\n')
  if (error instanceof OtherSchemaError) return explainSchema(error, t)
  if (!(error instanceof Error)) return undefined
  const code = 'code' in error ? String(error.code) : ''
  const { host, databaseFile = '' } = config ?? { host: '' }
  // A number would be written with a mark between its thousands.
  const port = String(config?.port ?? 0)
  if (code === 'EADDRINUSE') return t('cli.failure.port_taken', { port })
  if (code === 'EACCES' && isListening(error)) return t('cli.failure.port_refused', { port })
  if (code === 'EADDRNOTAVAIL' || code === 'ENOTFOUND') return t('cli.failure.host', { host })
  const folder = dirname(databaseFile)
  if (code === 'ENOTDIR' || code === 'EEXIST') return t('cli.failure.no_folder', { folder })
  if (code === 'EISDIR') return t('cli.failure.is_folder', { file: databaseFile })
  const isRefused = code === 'EACCES' || code === 'EPERM' || code === 'EROFS'
  if (isRefused) return t('cli.failure.unwritable', { folder })
  if (code === 'ERR_SQLITE_ERROR' || code === 'store_busy') return explainSqlite(error, databaseFile, t)
  if (code === 'pg_missing') return t('cli.failure.no_postgres')
  if (code === 'redis_missing') return t('cli.failure.no_redis')
  if (code === 'store_unavailable') return explainStore(error, t)
  // PostgreSQL's insufficient_privilege.
  if (code === '42501') return t('cli.failure.no_right', { message: error.message })
  return undefined
}

function isListening(error: Error): boolean {
  // `bind` where a supervisor listens for its workers.
  return 'syscall' in error && (error.syscall === 'listen' || error.syscall === 'bind')
}

/** A certificate that is not trusted, or for another name. https://nodejs.org/api/tls.html#x509-certificate-error-codes */
const BAD_CERTIFICATE = /CERT|LEAF_SIGNATURE/

function explainStore(error: Error, t: Translate): string {
  const { cause } = error
  const isUntrusted = cause instanceof Error && 'code' in cause && BAD_CERTIFICATE.test(String(cause.code))
  if (!isUntrusted) return t('cli.failure.store', { message: causeOf(error) })
  // What follows is advice of Node's.
  return t('cli.failure.certificate', { message: cause.message.split(';')[0] ?? '' })
}

function causeOf({ message, cause }: Error): string {
  // Node tries every address of a name, and says nothing where none of them answers but in the parts.
  const [first] = cause instanceof AggregateError ? cause.errors : [cause]
  return first instanceof Error ? first.message : message
}

/** The storage room speaks to programmers, in English. */
function explainSchema({ code, version, copying = '' }: OtherSchemaError, t: Translate): string {
  if (code === 'schema_older') return t('cli.failure.not_migrated')
  if (code === 'schema_unreleased') return t('cli.failure.unreleased')
  if (code === 'schema_copying') return t('cli.failure.copying', { source: copying })
  return t('cli.failure.newer', { version: String(version), known: String(SCHEMA_VERSION) })
}

function explainSqlite({ message }: Error, file: string, t: Translate): string {
  if (/unable to open|readonly|read-only/i.test(message)) return t('cli.failure.cannot_open', { file })
  if (/not a database|malformed|corrupt/i.test(message)) return t('cli.failure.damaged', { file })
  if (/locked|busy/i.test(message)) return t('cli.failure.locked', { file })
  return t('cli.failure.database', { file, message })
}
