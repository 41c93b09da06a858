// The settings of the server, beside those of its membership: what they mean, and one row each.

import { readFileSync } from 'node:fs'
import { isIP } from 'node:net'
import { availableParallelism } from 'node:os'
import { choice, kind, splitList, type Table, text, whole } from '../settings/schema.ts'

export interface ServerOptions {
  /** `production` refuses unsafe settings; everything else is development. Default: development. */
  readonly mode?: string
  /** The port; 0 takes a free one. Default: 3000. */
  readonly port?: number
  /** The address to listen at. Default: 127.0.0.1. One that is not this machine alone needs BASE_URL. */
  readonly host?: string
  /** Serves HTTPS directly: the path of a PEM certificate with its chain. Default: none. It goes with TLS_KEY. */
  readonly tlsCert?: string
  /** The path of the certificate's private key, PEM without a passphrase. Default: none. */
  readonly tlsKey?: string
  /** With TLS_CERT: a second port, like 80, that only redirects http to BASE_URL. Default: none. */
  readonly redirectPort?: number
  /**
   * Strict-Transport-Security: with on, browsers use https alone for a year; with subdomains, for every subdomain too; off sends no header.
   * Default: on. Sent if BASE_URL is https: and does not name this machine.
   */
  readonly hsts?: 'on' | 'subdomains' | 'off'
  /** The number of proxies in front, or their addresses or subnets. Default: none. Never true: visitors could then choose their own address. */
  readonly trustProxy?: TrustProxy
  /**
   * Processes that share the port, or auto for one per processor. Default: one process without a supervisor. Also: guildhall serve
   * --workers 2.
   */
  readonly workers?: number
  /** How much is logged. Default: info. */
  readonly logLevel?: LogLevel
  /** How lines are written. Default: pretty on a terminal, json otherwise. */
  readonly logFormat?: 'json' | 'pretty'
  /**
   * The bearer token for /metrics, 16 bytes or more. Default: none. Without it and METRICS_PORT, /metrics only answers if BASE_URL names
   * this machine.
   */
  readonly metricsToken?: string
  /**
   * The contact for reports of weaknesses: mailto:security@example.org, or the https: URL of a page. Default: none. With it the site has
   * /.well-known/security.txt.
   */
  readonly securityContact?: string
  /** A separate port for /metrics at 127.0.0.1, for programs on this machine. Default: none. It needs no token. */
  readonly metricsPort?: number
}

/** As Express takes it: a number of hops, or addresses and subnets. */
export type TrustProxy = number | readonly string[]

const LOG_LEVELS = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'] as const
export type LogLevel = (typeof LOG_LEVELS)[number]

const TOKEN_BYTES = 16
const MAX_WORKERS = 256
const MAX_HOPS = 16
const MAX_PORT = 65_535

export const SERVER_SETTINGS = {
  mode: { env: 'NODE_ENV', kind: text('must be a text', () => true), example: 'production' },
  port: { env: 'PORT', kind: whole(0, MAX_PORT), default: 3000 },
  host: { env: 'HOST', kind: text('must be a host', () => true), default: '127.0.0.1' },
  tlsCert: { env: 'TLS_CERT', kind: pem(), example: '' },
  tlsKey: { env: 'TLS_KEY', kind: pem(), example: '', isSecret: true },
  redirectPort: { env: 'REDIRECT_PORT', kind: whole(1, MAX_PORT), example: '80' },
  hsts: { env: 'HSTS', kind: choice(['on', 'subdomains', 'off']), default: 'on' },
  trustProxy: {
    env: 'TRUST_PROXY',
    kind: {
      ...kind(
        `must be the number of proxies in front, like '1' and at most ${MAX_HOPS}, or their addresses or subnets, like '10.0.0.0/8'; never true or everybody`,
        isTrustProxy,
      ),
      parse: (written: string) => (/^\d+$/.test(written) ? Number(written) : splitList(written)),
    },
    example: '1',
    question: 'How many proxies stand in front (empty for none)?',
  },
  workers: {
    env: 'WORKERS',
    kind: {
      ...whole(1, MAX_WORKERS),
      rule: `(--workers) must be a whole number from 1 to ${MAX_WORKERS}, or auto for one per processor`,
      parse: (written: string) => (written === 'auto' ? availableParallelism() : Number(/^\d{1,3}$/.exec(written)?.[0])),
    },
    example: '2',
  },
  logLevel: { env: 'LOG_LEVEL', kind: choice(LOG_LEVELS), default: 'info' },
  logFormat: { env: 'LOG_FORMAT', kind: choice(['json', 'pretty']), example: 'json' },
  metricsToken: {
    env: 'METRICS_TOKEN',
    kind: text(
      `must have ${TOKEN_BYTES} bytes or more and no space`,
      (token) => Buffer.byteLength(token) >= TOKEN_BYTES && !/\s/.test(token),
    ),
    isSecret: true,
  },
  securityContact: {
    env: 'SECURITY_CONTACT',
    kind: text("must be an address like 'mailto:security@example.org', or of a page, 'https://example.org/security'", isContact),
    example: 'mailto:security@example.org',
  },
  metricsPort: { env: 'METRICS_PORT', kind: whole(1, MAX_PORT), example: '9464' },
} as const satisfies Table<ServerOptions>

/** RFC 9116 section 2.5.3. */
function isContact(written: string): boolean {
  return /^(?:mailto:[^@\s]+@[^@\s]+|https:\/\/\S+)$/.test(written) && URL.canParse(written)
}

/** A PEM text, or the path of a file with one. */
function pem() {
  return {
    ...text('must be the path of a PEM file that this user may read', () => true),
    parse: (written: string) => (written.includes('-----BEGIN') ? written : readText(written)),
  }
}

function readText(path: string): string | false {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return false
  }
}

const NAMED_SUBNETS = new Set(['loopback', 'linklocal', 'uniquelocal'])

/** `true` would believe every visitor's own X-Forwarded-For. */
function isTrustProxy(value: unknown): value is TrustProxy {
  if (typeof value === 'number') return value <= MAX_HOPS
  return Array.isArray(value) && value.length > 0 && value.every(isSubnet)
}

/** A subnet of length 0 is everybody. */
function isSubnet(written: string): boolean {
  if (NAMED_SUBNETS.has(written)) return true
  const [address = '', length, ...more] = written.split('/')
  const version = isIP(address)
  if (version === 0 || more.length > 0) return false
  if (length === undefined) return true
  return /^\d{1,3}$/.test(length) && Number(length) >= 1 && Number(length) <= (version === 4 ? 32 : 128)
}
