// How visitors reach the site: the address and its cookies, the proxy in front, the certificate.
import { X509Certificate } from 'node:crypto'
import { isIP } from 'node:net'
import { isLoopback } from '../../domain/address.ts'
import { systemClock } from '../../domain/clock.ts'
import type { Config } from '../../server/config.ts'
import { baseUrlOf } from '../../server/open-membership.ts'
import { t } from '../terminal.ts'
import { bad, type Finding, fine, odd } from './finding.ts'

const DAY_MS = 86_400_000
const SOON_DAYS = 14

export function checkReach(config: Config): readonly Finding[] {
  const baseUrl = new URL(baseUrlOf(config, config.port))
  return [checkCookies(baseUrl), ...checkProxy(config, baseUrl), ...checkCertificate(config, baseUrl)]
}

function checkCookies({ protocol, hostname, origin }: URL): Finding {
  if (protocol === 'https:') return fine(t('cli.doctor.cookies_secure', { baseUrl: origin }))
  if (isLoopback(hostname)) return fine(t('cli.doctor.cookies_local', { baseUrl: origin }))
  return odd(t('cli.doctor.cookies_open', { baseUrl: origin }))
}

function checkProxy({ trustProxy, tls, host }: Config, { protocol }: URL): readonly Finding[] {
  if (trustProxy !== undefined && tls && isLoopback(host)) return []
  if (trustProxy !== undefined) return [fine(t('cli.doctor.proxy_trusted'))]
  const somethingInFront = protocol === 'https:' && !tls
  return somethingInFront ? [odd(t('cli.doctor.proxy_unknown'))] : []
}

function checkCertificate({ tls }: Config, { hostname }: URL): readonly Finding[] {
  if (!tls) return []
  const certificate = new X509Certificate(tls.cert)
  const daysLeft = Math.floor((Date.parse(certificate.validTo) - systemClock.now()) / DAY_MS)
  const name = hostname.replace(/^\[|\]$/g, '')
  const isFor = isIP(name) === 0 ? certificate.checkHost(name) : certificate.checkIP(name)
  if (daysLeft < 0) return [bad(t('cli.doctor.certificate_expired'))]
  if (isFor === undefined) return [bad(t('cli.doctor.certificate_other', { host: hostname }))]
  if (daysLeft < SOON_DAYS) return [odd(t('cli.doctor.certificate_soon', { days: daysLeft }))]
  return [fine(t('cli.doctor.certificate', { days: daysLeft }))]
}
