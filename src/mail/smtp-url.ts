// Reads SMTP_URL strictly, so that no part of a password is taken for a host.
import { isIPv6 } from 'node:net'
import { isLoopback } from '../domain/address.ts'
import { Secret } from '../domain/secret.ts'

export interface SmtpServer {
  readonly host: string
  readonly port: number
  /** TLS from the first byte; else STARTTLS. */
  readonly isTls: boolean
  /** Allows a connection without TLS: only to this machine, and without a login. */
  readonly isClearText: boolean
  readonly login: { readonly user: Secret; readonly password: Secret } | undefined
}

export const SMTP_URL_RULE =
  "must be 'smtp://user:password@host:587' (STARTTLS) or 'smtps://user:password@host:465', nothing behind the port, and every character of user and password but letters, digits and -._~ percent-encoded: @ is %40, / is %2F, : is %3A, # is %23, % is %25"

const MAX_LENGTH = 1024
// RFC 3986 section 3.2.1, but without the delimiters of a URL; RFC 8314 section 7.3 and RFC 6409 for the ports.
const URL_OF_SERVER =
  /^(?<scheme>smtps?):\/\/(?:(?<user>[\w.~!$&'()*+,;=%-]+):(?<password>[\w.~!$&'()*+,;=%-]+)@)?(?<host>[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?|\[[0-9a-f:.]+\])(?::(?<port>\d{1,5}))?\/?$/i
const PORT = { smtp: 587, smtps: 465 }
const MAX_PORT = 65_535

/** Undefined if the text is no such URL, or is ambiguous. */
export function readSmtpUrl(text: string): SmtpServer | undefined {
  if (text.length > MAX_LENGTH) return undefined
  const { scheme = '', user, password, host = '', port } = URL_OF_SERVER.exec(text)?.groups ?? {}
  const isTls = scheme.toLowerCase() === 'smtps'
  const bareHost = host.replace(/^\[|\]$/g, '').toLowerCase()
  const number = port === undefined ? PORT[isTls ? 'smtps' : 'smtp'] : Number(port)
  if (host === '' || number < 1 || number > MAX_PORT || (host.startsWith('[') && !isIPv6(bareHost))) return undefined
  const login = readLogin(user, password)
  if (login === 'unreadable') return undefined
  const isClearText = !isTls && login === undefined && isLoopback(bareHost)
  return { host: bareHost, port: number, isTls, isClearText, login }
}

function readLogin(user: string | undefined, password: string | undefined): SmtpServer['login'] | 'unreadable' {
  if (user === undefined || password === undefined) return undefined
  try {
    const plain = [decodeURIComponent(user), decodeURIComponent(password)] as const
    // NUL separates user and password in SMTP (RFC 4616).
    if (plain.some((text) => /\p{Cc}/u.test(text))) return 'unreadable'
    return { user: new Secret(plain[0]), password: new Secret(plain[1]) }
  } catch {
    return 'unreadable'
  }
}

/** Host and port for messages, without user and password. */
export function hostAndPort({ host, port }: SmtpServer): string {
  return `${isIPv6(host) ? `[${host}]` : host}:${port}`
}
