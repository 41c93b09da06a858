// Checks of option values that are special to one option.

import type { PostgresPool } from '../database/postgres/query.ts'
import type { RedisClient } from '../database/redis/script.ts'
import { isRedisUrl, readDatabaseUrl } from '../domain/database-url.ts'
import type { Hooks } from '../domain/hooks.ts'
import type { Logger } from '../domain/logger.ts'
import { type Kind, kind } from './schema.ts'

export function isHttpOrigin(written: string): boolean {
  const url = URL.canParse(written) ? new URL(written) : undefined
  return url !== undefined && /^https?:$/.test(url.protocol) && url.href === `${url.origin}/`
}

/** The URL parser accepts `*` in a host name, but here it would be meant as a wildcard. */
export function isExactOrigin(origin: string): boolean {
  return /^https?:\/\/[^*]+$/.test(origin) && URL.canParse(origin) && new URL(origin).origin === origin
}

export function isDatabase(value: unknown): value is string | PostgresPool {
  if (typeof value === 'string') return readDatabaseUrl(value) !== undefined
  return typeof value === 'object' && value !== null && 'query' in value && 'connect' in value
}

export function isRedis(value: unknown): value is string | RedisClient {
  if (typeof value === 'string') return isRedisUrl(value)
  return hasFunctions(value, ['evalSha'])
}

export function isHooks(value: unknown): value is Hooks {
  if (typeof value !== 'object' || value === null) return false
  return Object.entries(value).every(
    ([name, hook]) =>
      (name === 'beforeRegister' || name === 'beforeSignIn') && (hook === undefined || typeof hook === 'function'),
  )
}

export function having<Value>(rule: string, functions: readonly (keyof Value & string)[]): Kind<Value> {
  return kind(rule, (value): value is Value => hasFunctions(value, functions))
}

function hasFunctions(value: unknown, names: readonly string[]): boolean {
  return typeof value === 'object' && value !== null && names.every((name) => typeof Reflect.get(value, name) === 'function')
}

export function consoleLogger(): Logger {
  return {
    debug() {},
    info() {},
    warn: (fields, message) => console.warn(message, fields),
    error: (fields, message) => console.error(message, fields),
  }
}
