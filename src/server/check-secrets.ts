// The settings that nobody may see: SECRET, PASSWORD_PEPPER, METRICS_TOKEN. Faults name them and never show them.
import { SECRET_BYTES, Secret } from '../domain/secret.ts'
import type { Config, Fault } from './config.ts'
import type { SettingsReader } from './read-settings.ts'

const PEPPER_BYTES = 16
const TOKEN_BYTES = 16
/** A hexadecimal secret has about 14 of its 16 digits; a line of x has one. */
const FEWEST_CHARACTERS = 8

const HOW_TO_MAKE = 'make one with: openssl rand -base64 33'

export function checkSecrets(read: SettingsReader, production: boolean, fault: Fault): Pick<Config, 'secrets' | 'metricsToken'> {
  const secrets = read.list('SECRET')
  if (secrets.length === 0 && production) fault(`SECRET is required in production, the same at every start; ${HOW_TO_MAKE}`)
  if (secrets.some((secret) => bytes(secret) < SECRET_BYTES))
    fault(`SECRET must have ${SECRET_BYTES} bytes or more, each part of a comma list too; ${HOW_TO_MAKE}`)
  else if (production && secrets.some(isFiller)) fault(`SECRET must be random: it repeats a few characters; ${HOW_TO_MAKE}`)
  if (read.list('PASSWORD_PEPPER').some((pepper) => bytes(pepper) < PEPPER_BYTES))
    fault(`PASSWORD_PEPPER must have ${PEPPER_BYTES} bytes or more, each part of a comma list too`)
  const token = read.text('METRICS_TOKEN')
  if (token !== undefined && (bytes(token) < TOKEN_BYTES || /\s/.test(token)))
    fault(`METRICS_TOKEN must have ${TOKEN_BYTES} bytes or more and no space`)
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
