// The settings that nobody may see: SECRET, PASSWORD_PEPPER, METRICS_TOKEN. Faults name them and never show them.
import { SECRET_BYTES, Secret } from '../domain/secret.ts'
import type { Config } from './config.ts'
import type { Note } from './diagnostic.ts'
import type { SettingsReader } from './read-settings.ts'

const PEPPER_BYTES = 16
const TOKEN_BYTES = 16
/** A hexadecimal secret has about 14 of its 16 digits; a line of x has one. */
const FEWEST_CHARACTERS = 8

export function checkSecrets(read: SettingsReader, production: boolean, fault: Note): Pick<Config, 'secrets' | 'metricsToken'> {
  const secrets = read.list('SECRET')
  if (secrets.length === 0 && production) fault('setting.secret.required')
  if (secrets.some((secret) => bytes(secret) < SECRET_BYTES)) fault('setting.secret.short', { least: String(SECRET_BYTES) })
  else if (production && secrets.some(isFiller)) fault('setting.secret.filler')
  if (read.list('PASSWORD_PEPPER').some((pepper) => bytes(pepper) < PEPPER_BYTES))
    fault('setting.pepper', { least: String(PEPPER_BYTES) })
  const token = read.text('METRICS_TOKEN')
  if (token !== undefined && (bytes(token) < TOKEN_BYTES || /\s/.test(token)))
    fault('setting.metrics_token', { least: String(TOKEN_BYTES) })
  return {
    secrets: secrets.map((secret) => new Secret(secret)),
    metricsToken: token === undefined ? undefined : new Secret(token),
  }
}

function bytes(text: string): number {
  return Buffer.byteLength(text)
}

function isFiller(secret: string): boolean {
  return new Set(secret).size < FEWEST_CHARACTERS
}
