// Where the server listens, what people call it, and how it is reached: PORT, HOST, BASE_URL, TLS and proxies, which must fit each other.

import { readFileSync } from 'node:fs'
import { createSecureContext } from 'node:tls'
import { isLoopback } from '../domain/address.ts'
import type { Config, Fault } from './config.ts'
import type { SettingsReader } from './read-settings.ts'
import type { Variable } from './variables.ts'

const DEFAULT_PORT = 3000

export function checkAddress(
  read: SettingsReader,
  { production, insecureHttp }: { production: boolean; insecureHttp: boolean },
  fault: Fault,
): Pick<Config, 'port' | 'host' | 'baseUrl' | 'tls' | 'trustProxy'> {
  const host = read.text('HOST') ?? '127.0.0.1'
  const tls = checkTls(read, fault)
  const baseUrl = read.text('BASE_URL')
  if (baseUrl === undefined) {
    if (production) fault('BASE_URL is required in production: write the address people use, like https://example.org')
    else if (!isLoopback(host))
      fault('BASE_URL is required where HOST is not this machine alone: write the address people use, like https://example.org')
  } else checkBaseUrl(baseUrl, { httpAllowed: !production || insecureHttp, tls: tls !== undefined }, fault)
  return {
    host,
    tls,
    port: read.whole('PORT', 0, 65_535) ?? DEFAULT_PORT,
    baseUrl: baseUrl !== undefined && URL.canParse(baseUrl) ? new URL(baseUrl).origin : undefined,
    trustProxy: read.trustedProxies('TRUST_PROXY'),
  }
}

function checkBaseUrl(text: string, { httpAllowed, tls }: { httpAllowed: boolean; tls: boolean }, fault: Fault): void {
  const url = URL.canParse(text) ? new URL(text) : undefined
  const isOrigin = url !== undefined && /^https?:$/.test(url.protocol) && url.href === `${url.origin}/`
  if (!isOrigin) return fault('BASE_URL must be scheme, host and port alone, like https://example.org: no path, query or user')
  if (url.protocol === 'https:') return
  if (tls) return fault('BASE_URL must begin with https: where TLS_CERT is set')
  if (!httpAllowed) {
    fault(
      'BASE_URL must begin with https: in production (INSECURE_HTTP=on allows http, and everybody on the way then reads passwords and cookies)',
    )
  }
}

function checkTls(read: SettingsReader, fault: Fault): Config['tls'] {
  const cert = readPem(read, 'TLS_CERT', fault)
  const key = readPem(read, 'TLS_KEY', fault)
  if (cert === undefined && key === undefined) return undefined
  if (cert === undefined || key === undefined) {
    if (!read.text('TLS_CERT') || !read.text('TLS_KEY')) fault('TLS_CERT and TLS_KEY belong together: set both or none')
    return undefined
  }
  try {
    createSecureContext({ cert, key })
    return { cert, key }
  } catch {
    fault('TLS_CERT and TLS_KEY must be a certificate and its own private key, both in PEM and without a passphrase')
    return undefined
  }
}

/** A path, or the PEM text itself. */
function readPem(read: SettingsReader, name: Variable, fault: Fault): string | undefined {
  const given = read.text(name)
  if (given === undefined || given.includes('-----BEGIN')) return given
  try {
    return readFileSync(given, 'utf8')
  } catch {
    fault(`${name} names a file that cannot be read: write the path of a PEM file that this user may read`)
    return undefined
  }
}
