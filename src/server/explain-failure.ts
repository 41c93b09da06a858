// Explains in one line why a start failed, and what to do.
import { existsSync, readlinkSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { codeOf } from '../database/postgres/query.ts'
import { explainRefusedLogin } from '../database/postgres/refused-login.ts'
import { OtherSchemaError, SCHEMA_VERSION } from '../storage/schema-state.ts'
import { type Config, ConfigError } from './config.ts'

/** The settings that an explanation may name. */
export type NamedSettings = Partial<Pick<Config, 'port' | 'host' | 'databaseFile' | 'metricsPort' | 'redirectPort'>>

const OR_ANOTHER = 'or write another DATABASE_URL.'

export function explainFailure(error: unknown, config?: NamedSettings): string | undefined {
  if (error instanceof ConfigError) return error.message
  if (error instanceof OtherSchemaError) return explainSchema(error)
  if (!(error instanceof Error)) return undefined
  const { port = 0, host = '', databaseFile: file = '' } = config ?? {}
  const folder = dirname(file)
  switch ('code' in error ? error.code : undefined) {
    case 'EADDRINUSE':
      return explainPortInUse(error, config)
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
      return `HOST is no address of this machine (${host}): write 127.0.0.1, or 0.0.0.0 for all of them.`
    case 'ENOTDIR':
    case 'EEXIST':
      return `DATABASE_URL leads through something that is no folder: ${folder}`
    case 'EISDIR':
      return `DATABASE_URL leads to a folder: ${file}. Write the path of a file.`
    case 'EACCES':
    case 'EPERM':
    case 'EROFS':
      if (isListening(error))
        return `Port ${portOf(error) ?? port} needs more rights than this user has: write a PORT above 1023.`
      return `${folder} cannot be written: give this user the right to, ${OR_ANOTHER}`
    case 'ERR_SQLITE_ERROR':
    case 'store_busy':
      return explainSqlite(error, file)
    case 'pg_missing':
    case 'pg_file':
    case 'redis_missing':
      return error.message
    case 'database_unfit':
      return `DATABASE_URL: ${error.message}.`
    case 'ENOENT':
      return describeDangling(file) ?? explainUncreatable(error, file)
    case 'store_unavailable':
      return explainStore(error)
    // PostgreSQL's insufficient_privilege.
    case '42501':
      return `The role in DATABASE_URL may not do this (${error.message}): run guildhall migrate with a role that may change the schema.`
    default:
      return undefined
  }
}

function explainPortInUse(error: Error, { port = 0, metricsPort, redirectPort }: NamedSettings = {}): string {
  const taken = portOf(error) ?? port
  const ports = { METRICS_PORT: metricsPort, REDIRECT_PORT: redirectPort }
  const [name = 'PORT'] = Object.entries(ports).find(([, port]) => port === taken) ?? []
  return `Port ${taken} is taken: stop the other program, or write another ${name}.`
}

function portOf(error: Error): number | undefined {
  return 'port' in error && typeof error.port === 'number' ? error.port : undefined
}

function isListening(error: Error): boolean {
  // `bind`: the error of a supervisor's listener.
  return 'syscall' in error && (error.syscall === 'listen' || error.syscall === 'bind')
}

/** A certificate that is not trusted, or for another name. https://nodejs.org/api/tls.html#x509-certificate-error-codes */
const BAD_CERTIFICATE = /CERT|LEAF_SIGNATURE/

function explainStore(error: Error): string {
  const { cause } = error
  if (error.message.startsWith('Redis')) return explainRedis(error)
  const refused = cause instanceof Error ? explainRefusedLogin(codeOf(cause), cause.message) : undefined
  if (refused !== undefined) return `${refused}.`
  // PostgreSQL's lock_not_available.
  if (cause instanceof Error && 'code' in cause && cause.code === '55P03')
    return 'Another session holds a table of ours, and did not let it go in time: pg_stat_activity shows which; nothing was changed.'
  const isUntrusted = cause instanceof Error && 'code' in cause && BAD_CERTIFICATE.test(String(cause.code))
  if (!isUntrusted) return `The database does not answer: ${causeOf(error)}`
  // The rest is advice by Node.
  const [reason] = cause.message.split(';')
  return `The database shows a certificate that is not trusted (${reason}): name the file of its authority with sslrootcert in DATABASE_URL, and the host as the certificate does`
}

function explainRedis(error: Error): string {
  const cause = causeOf(error)
  if (/WRONGPASS|NOAUTH|AUTH/.test(cause))
    return `Redis does not take the user and password of REDIS_URL (${cause}): write redis://user:password@host, or redis://:password@host.`
  if (/NOPERM/.test(cause)) return `The user in REDIS_URL may not do this: ${cause}`
  if (/index is out of range/.test(cause)) return 'Redis has no database of the number at the end of REDIS_URL: write another.'
  if (/wrong version number|packet length too long/i.test(cause))
    return 'Redis speaks no TLS at this port: write redis:// in REDIS_URL, or the port where it does.'
  if (/Socket closed unexpectedly/.test(cause))
    return 'Redis, or what stands at its port, hangs up at once: if it speaks TLS, write rediss:// in REDIS_URL.'
  if (error.cause instanceof Error && 'code' in error.cause && BAD_CERTIFICATE.test(String(error.cause.code)))
    return `Redis shows a certificate that is not trusted (${cause}): name its authority in NODE_EXTRA_CA_CERTS, and the host as the certificate does.`
  // Redis does not answer a TLS handshake.
  if (/timeout/i.test(cause))
    return `Redis does not answer: ${cause}. Where it speaks no TLS, write redis:// in the place of rediss:// in REDIS_URL.`
  return `Redis does not answer: ${cause}`
}

/** A link whose target folder does not exist; undefined for anything else. */
export function describeDangling(file: string): string | undefined {
  const target = linkTarget(file)
  if (target === undefined || existsSync(dirname(target))) return undefined
  return `DATABASE_URL leads to ${file}, a link to ${target}, whose folder is not there: make it, or change the link.`
}

/** A folder like /proc in which no file can be made, whatever its rights say. */
function explainUncreatable(error: Error, file: string): string | undefined {
  const folder = dirname(file)
  // The first file there may be the secret of development.
  const isThere = file !== '' && 'path' in error && dirname(String(error.path)) === folder && existsSync(folder)
  return isThere ? `${folder} cannot be written: give this user the right to, ${OR_ANOTHER}` : undefined
}

function linkTarget(file: string): string | undefined {
  try {
    return resolve(dirname(file), readlinkSync(file))
  } catch {
    // No link, or nothing there.
    return undefined
  }
}

function causeOf({ message, cause }: Error): string {
  // Node tries every address of a name, and reports the reasons only in the parts of its error.
  const [first] = cause instanceof AggregateError ? cause.errors : [cause]
  return first instanceof Error ? first.message : message
}

function explainSchema({ code, version, copying }: OtherSchemaError): string {
  if (code === 'schema_older' && version === 0)
    return 'There is nothing of Guildhall in the database yet: run guildhall migrate, or start the site, which does it too.'
  if (code === 'schema_older')
    return 'The database is older than this program: run guildhall migrate, or start the site, which does it too.'
  if (code === 'schema_unreleased')
    return 'The database has tables of a Guildhall from before the first release, which cannot be brought up to date. It stays as it is: write another DATABASE_URL.'
  if (code === 'schema_copying')
    return `The database is an unfinished copy of ${copying}: run guildhall copy again, it goes on where it stopped.`
  if (code === 'schema_foreign')
    return 'The database has tables whose names begin with guildhall_ that no Guildhall left so. It stays as it is: write another DATABASE_URL, or restore a backup.'
  return `The database has schema ${version}, this program knows ${SCHEMA_VERSION}: start the newer program, or restore the backup from before the upgrade.`
}

function explainSqlite({ message }: Error, file: string): string {
  if (/unable to open|readonly|read-only/i.test(message))
    return `${file} cannot be opened for writing: give this user the right to the file and its folder, ${OR_ANOTHER}`
  if (/not a database|malformed|corrupt/i.test(message))
    return `${file} is no SQLite database, or is damaged: restore a backup, ${OR_ANOTHER}`
  if (/locked|busy/i.test(message)) return `${file} is locked by another program: wait for it to finish, or stop it.`
  return `${file} does not work: ${message}`
}
