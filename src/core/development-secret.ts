// Makes a secret for development, once, in a file that only its owner can read.
import { existsSync, linkSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { readDatabaseUrl } from '../domain/database-url.ts'
import { newId, newToken, SECRET_BYTES } from '../domain/secret.ts'
import type { Settings } from '../settings/options.ts'
import type { Secrets } from './keys.ts'

/** The secrets of the settings, or the one that is kept beside the database file; without a file, a new one at each start. */
export function secretsOf({ secrets: [first, ...others], database }: Pick<Settings, 'secrets' | 'database'>): Secrets {
  if (first !== undefined) return [first, ...others]
  const file = typeof database === 'string' ? readDatabaseUrl(database)?.databaseFile : undefined
  if (file === undefined) return [newToken()]
  const path = join(dirname(file), 'secret')
  const secret = developmentSecret(path)
  if (secret === undefined)
    throw new TypeError(`createMembership: ${path} holds less than ${SECRET_BYTES} bytes: remove it, or set secret`)
  return [secret]
}

/** The secret in a file, created if it is missing; undefined if it is too short. */
export function developmentSecret(path: string): string | undefined {
  const secret = readSecret(path) ?? makeSecret(path)
  return Buffer.byteLength(secret) < SECRET_BYTES ? undefined : secret
}

function readSecret(path: string): string | undefined {
  return existsSync(path) ? readFileSync(path, 'utf8').trim() : undefined
}

function makeSecret(path: string): string {
  const secret = newToken()
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
  try {
    // Written in full, then linked: of two processes that start at once, one creates it and the other reads all of it.
    const temporary = `${path}.${newId()}`
    writeFileSync(temporary, `${secret}\n`, { mode: 0o600, flag: 'wx' })
    try {
      linkSync(temporary, path)
    } catch (error) {
      // Some file systems, as on memory sticks, have no links.
      if (existsSync(path)) throw error
      renameSync(temporary, path)
      return readSecret(path) ?? secret
    } finally {
      rmSync(temporary, { force: true })
    }
    return secret
  } catch (error) {
    const made = readSecret(path)
    if (made === undefined) throw error
    return made
  }
}
