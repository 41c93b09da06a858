// Checks how visitors reach the site: URL and cookies, port, proxy, certificate.
import { X509Certificate } from 'node:crypto'
import { isIP } from 'node:net'
import { isLoopback } from '../../domain/address.ts'
import { systemClock } from '../../domain/clock.ts'
import type { Config } from '../../server/config.ts'
import { baseUrlOf } from '../../server/open-membership.ts'
import { error, type Finding, ok, warning } from './finding.ts'

const DAY_MS = 86_400_000
const SOON_DAYS = 14

export function checkReach(config: Config): readonly Finding[] {
  const baseUrl = new URL(baseUrlOf(config, config.port))
  return [
    checkCookies(baseUrl),
    ...checkPort(config, baseUrl),
    ...checkProxy(config, baseUrl),
    ...checkCertificate(config, baseUrl),
  ]
}

function checkCookies({ protocol, hostname, origin }: URL): Finding {
  if (protocol === 'https:') return ok(`People come by ${origin}; cookies travel over HTTPS only.`)
  if (isLoopback(hostname)) return ok(`People come by ${origin}, from this machine.`)
  return warning(
    `People come by ${origin}: everybody on the way can read passwords and cookies. Put HTTPS in front and write an https: BASE_URL.`,
  )
}

function checkPort({ port, trustProxy }: Config, { protocol, hostname, port: named, origin }: URL): readonly Finding[] {
  if (protocol === 'https:' || trustProxy !== undefined || !isLoopback(hostname) || Number(named || 80) === port) return []
  return [warning(`People come by ${origin}, but the server listens on port ${port}: write the port of BASE_URL as PORT.`)]
}

function checkProxy({ trustProxy, tls, host }: Config, { protocol }: URL): readonly Finding[] {
  if (trustProxy !== undefined && tls && isLoopback(host)) return []
  if (trustProxy !== undefined)
    return [ok('TRUST_PROXY says whose word on a visitor’s address is believed. Nobody else may reach this port.')]
  if (protocol !== 'https:' || tls) return []
  return [
    warning(
      'BASE_URL is https: and TLS_CERT is not set, so a proxy must be in front. Without TRUST_PROXY all visitors share one address and its limits: write TRUST_PROXY=1 for one proxy.',
    ),
  ]
}

function checkCertificate({ tls }: Config, { hostname }: URL): readonly Finding[] {
  if (!tls) return []
  const certificate = new X509Certificate(tls.cert)
  const daysLeft = Math.floor((Date.parse(certificate.validTo) - systemClock.now()) / DAY_MS)
  const name = hostname.replace(/^\[|\]$/g, '')
  const isFor = isIP(name) === 0 ? certificate.checkHost(name) : certificate.checkIP(name)
  if (daysLeft < 0) return [error('The certificate has ended, browsers will refuse it: renew it, then restart.')]
  if (isFor === undefined)
    return [error(`The certificate is not for ${hostname}, browsers will refuse it: get one for the host of BASE_URL.`)]
  if (daysLeft < SOON_DAYS) return [warning(`The certificate ends in ${daysLeft} days: renew it, then restart.`)]
  return [ok(`The certificate fits and is good for ${daysLeft} days.`)]
}
