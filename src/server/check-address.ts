// Where the server listens, what people call it, and how it is reached: PORT, HOST, BASE_URL, TLS and proxies, which must fit each other.

import { readFileSync } from 'node:fs'
import { createSecureContext } from 'node:tls'
import { isLoopback } from '../domain/address.ts'
import type { Config } from './config.ts'
import type { Note } from './diagnostic.ts'
import type { SettingsReader } from './read-settings.ts'
import type { Variable } from './variables.ts'

const DEFAULT_PORT = 3000

export function checkAddress(
  read: SettingsReader,
  { production, insecureHttp }: { production: boolean; insecureHttp: boolean },
  fault: Note,
): Pick<Config, 'port' | 'host' | 'baseUrl' | 'tls' | 'trustProxy'> {
  const host = read.text('HOST') ?? '127.0.0.1'
  const tls = checkTls(read, fault)
  const baseUrl = read.text('BASE_URL')
  if (baseUrl === undefined) {
    if (production) fault('setting.base_url.production')
    else if (!isLoopback(host)) fault('setting.base_url.public')
  } else checkBaseUrl(baseUrl, { httpAllowed: !production || insecureHttp, tls: tls !== undefined }, fault)
  return {
    host,
    tls,
    port: read.whole('PORT', 0, 65_535) ?? DEFAULT_PORT,
    baseUrl: baseUrl !== undefined && URL.canParse(baseUrl) ? new URL(baseUrl).origin : undefined,
    trustProxy: read.trustedProxies('TRUST_PROXY'),
  }
}

function checkBaseUrl(text: string, { httpAllowed, tls }: { httpAllowed: boolean; tls: boolean }, fault: Note): void {
  const url = URL.canParse(text) ? new URL(text) : undefined
  const isOrigin = url !== undefined && /^https?:$/.test(url.protocol) && url.href === `${url.origin}/`
  if (!isOrigin) return fault('setting.base_url.origin')
  if (url.protocol === 'https:') return
  if (tls) return fault('setting.base_url.tls')
  if (!httpAllowed) fault('setting.base_url.https')
}

function checkTls(read: SettingsReader, fault: Note): Config['tls'] {
  const cert = readPem(read, 'TLS_CERT', fault)
  const key = readPem(read, 'TLS_KEY', fault)
  if (cert === undefined && key === undefined) return undefined
  if (cert === undefined || key === undefined) {
    if (!read.text('TLS_CERT') || !read.text('TLS_KEY')) fault('setting.tls.pair')
    return undefined
  }
  try {
    createSecureContext({ cert, key })
    return { cert, key }
  } catch {
    fault('setting.tls.fit')
    return undefined
  }
}

/** A path, or the PEM text itself. */
function readPem(read: SettingsReader, name: Variable, fault: Note): string | undefined {
  const given = read.text(name)
  if (given === undefined || given.includes('-----BEGIN')) return given
  try {
    return readFileSync(given, 'utf8')
  } catch {
    fault('setting.pem_unreadable', { name })
    return undefined
  }
}
