// In development the secret makes itself, once, in a file that only its owner can read.
import { linkSync, mkdirSync, readFileSync, unlinkSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { newId, newToken, SECRET_BYTES } from '../domain/secret.ts'
import { type Config, ConfigError } from './config.ts'
import { isMissing } from './env.ts'

/** Beside the database file; where the database is in memory, in `./data`. */
export function secretFile({ databaseFile }: Pick<Config, 'databaseFile'>): string {
  return join(databaseFile === undefined ? 'data' : dirname(databaseFile), 'secret')
}

/** The secrets of the settings, or the one from the file, made where there is none yet. */
export function secretsOf(config: Config): readonly string[] {
  if (config.secrets.length > 0) return config.secrets.map((secret) => secret.reveal())
  const path = secretFile(config)
  const secret = readSecret(path) ?? makeSecret(path)
  if (Buffer.byteLength(secret) < SECRET_BYTES) throw new ConfigError([`${path} is damaged: delete it, and a new secret is made`])
  return [secret]
}

function readSecret(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8').trim()
  } catch (error) {
    if (isMissing(error)) return undefined
    throw error
  }
}

function makeSecret(path: string): string {
  const secret = newToken()
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
  try {
    // Written whole, then linked: of two processes that start at once, one makes it and the other reads all of it.
    const temporary = `${path}.${newId()}`
    writeFileSync(temporary, `${secret}\n`, { mode: 0o600, flag: 'wx' })
    try {
      linkSync(temporary, path)
    } finally {
      unlinkSync(temporary)
    }
    return secret
  } catch (error) {
    const made = readSecret(path)
    if (made === undefined) throw error
    return made
  }
}
