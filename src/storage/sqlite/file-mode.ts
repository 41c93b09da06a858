// Whether others on this machine can read or change what belongs to one user alone.
import { existsSync, statSync } from 'node:fs'
import { SIDECARS } from '../../database/sqlite/connection.ts'

/** What is wrong with these files, one line each, with what to do. Windows has no such modes. */
export function describeExposed(paths: readonly string[]): readonly string[] {
  if (process.platform === 'win32') return []
  return paths
    .filter((path) => existsSync(path) && (statSync(path).mode & 0o077) !== 0)
    .map((path) => `Others on this machine can read or change ${path}: chmod 600 ${path}`)
}

/** A SQLite database with all of its files. */
export function databaseFiles(path: string): readonly string[] {
  return ['', ...SIDECARS].map((end) => path + end)
}
