// Normalises IP addresses, and the networks by which throttles count them.
import { isIP, isIPv6 } from 'node:net'

/**
 * The bare address; undefined if the text is none. Some proxies add a port, `203.0.113.9:40001` or `[2001:db8::1]:40001`, which must not
 * count.
 */
export function plainAddress(text: string | undefined): string | undefined {
  if (text === undefined) return undefined
  const bare = text.replace(/^\[([^\]]*)\](?::\d+)?$/, '$1').replace(/^(\d+\.\d+\.\d+\.\d+):\d+$/, '$1')
  return isIP(bare) === 0 ? undefined : bare
}

/** The network by which an address is counted: IPv4 itself, IPv6 by its /64, as one home has 2^64 addresses; else `unknown`. */
export function networkOf(ip: string | undefined): string {
  return prefixOf(ip, 64) ?? plainAddress(ip) ?? 'unknown'
}

/** The /48 that one customer may have (RFC 6177), with 65 536 networks. Undefined if the address is not IPv6. */
export function wideNetworkOf(ip: string | undefined): string | undefined {
  const network = prefixOf(ip, 48)
  return network === undefined || isIP(network) === 4 ? undefined : network
}

/** The first bits of an IPv6 address, or the IPv4 address that is embedded in it; undefined if it is not IPv6. */
function prefixOf(ip: string | undefined, bits: 48 | 64): string | undefined {
  const address = plainAddress(ip)
  if (address === undefined || !isIPv6(address)) return undefined
  const groups = ipv6Groups(address.replace(/%.*$/, ''))
  const inside = groupsOfIpv4(groups)
  if (inside) return inside.flatMap((group) => [group >> 8, group & 255]).join('.')
  const network = groups.slice(0, bits / 16).map((group) => group.toString(16))
  return `${network.join(':')}::/${bits}`
}

/** The embedded IPv4 address, which identifies the client: mapped (RFC 4291), NAT64 (RFC 6052) or 6to4 (RFC 3056). */
function groupsOfIpv4(groups: readonly number[]): readonly number[] | undefined {
  const start = groups.slice(0, 6).join(':')
  if (start === MAPPED || start === NAT64) return groups.slice(6)
  return groups[0] === 0x2002 ? groups.slice(1, 3) : undefined
}

const MAPPED = [0, 0, 0, 0, 0, 0xffff].join(':')
const NAT64 = [0x64, 0xff9b, 0, 0, 0, 0].join(':')

/** The eight groups of an IPv6 address; the URL parser knows every spelling (RFC 5952). */
function ipv6Groups(address: string): number[] {
  const compressed = new URL(`http://[${address}]/`).hostname.slice(1, -1)
  const [head = '', tail] = compressed.split('::')
  const left = head === '' ? [] : head.split(':')
  const right = tail === undefined || tail === '' ? [] : tail.split(':')
  const zeros = Array.from({ length: 8 - left.length - right.length }, () => '0')
  return [...left, ...zeros, ...right].map((group) => Number.parseInt(group, 16))
}

/** Whether a host name or address is this machine. */
export function isLoopback(host: string): boolean {
  return (
    host === 'localhost' ||
    host.endsWith('.localhost') ||
    host === '::1' ||
    host === '[::1]' ||
    /^127(?:\.\d{1,3}){3}$/.test(host)
  )
}
