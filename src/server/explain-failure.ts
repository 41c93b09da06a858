// Why it did not start, in one line that says what to do. Undefined: a bug, whose stack is worth seeing.
import { dirname } from 'node:path'
import { type Config, ConfigError } from './config.ts'

export function explainFailure(
  error: unknown,
  config: Pick<Config, 'port' | 'host' | 'databaseFile'> | undefined,
): string | undefined {
  if (error instanceof ConfigError) return error.message
  if (!(error instanceof Error)) return undefined
  const code = 'code' in error ? String(error.code) : ''
  const { port, host, databaseFile = '' } = config ?? { port: 0, host: '' }
  if (code === 'EADDRINUSE') return `Port ${port} is taken: stop the other program, or write another PORT.`
  if (code === 'EACCES' && isListening(error))
    return `Port ${port} needs more rights than this user has: write a PORT above 1023.`
  if (code === 'EADDRNOTAVAIL' || code === 'ENOTFOUND')
    return `HOST is no address of this machine (${host}): write 127.0.0.1, or 0.0.0.0 for all of them.`
  if (code === 'ENOTDIR' || code === 'EEXIST')
    return `DATABASE_URL leads through something that is no folder: ${dirname(databaseFile)}`
  const isRefused = code === 'EACCES' || code === 'EPERM' || code === 'EROFS'
  if (isRefused) return `${dirname(databaseFile)} cannot be written: give this user the right to, or write another DATABASE_URL.`
  if (code === 'ERR_SQLITE_ERROR' || code === 'store_busy') return explainSqlite(error, databaseFile)
  // Refusals of the storage room are written to be read.
  if (error.message.startsWith('the database ') || error.message.startsWith('createMembership: ')) return error.message
  return undefined
}

function isListening(error: Error): boolean {
  return 'syscall' in error && error.syscall === 'listen'
}

function explainSqlite({ message }: Error, file: string): string {
  if (/unable to open|readonly|read-only/i.test(message))
    return `${file} cannot be opened for writing: give this user the right to the file and its folder, or write another DATABASE_URL.`
  if (/not a database|malformed|corrupt/i.test(message))
    return `${file} is no SQLite database, or is damaged: restore a backup, or write another DATABASE_URL.`
  if (/locked|busy/i.test(message)) return `${file} is locked by another program: wait for it to finish, or stop it.`
  return `${file} does not work: ${message}`
}
