// Network addresses as they are counted and shown: one spelling for each, no other text.
import { isIP, isIPv6 } from 'node:net'

/** The bare address, undefined for what is none. Some proxies write `203.0.113.9:40001` or `[2001:db8::1]:40001`: each port would be a network. */
export function plainAddress(text: string | undefined): string | undefined {
  if (text === undefined) return undefined
  const bare = text.replace(/^\[([^\]]*)\](?::\d+)?$/, '$1').replace(/^(\d+\.\d+\.\d+\.\d+):\d+$/, '$1')
  return isIP(bare) === 0 ? undefined : bare
}

/** The network of an address: IPv4 as it is, IPv6 by its /64, which one home has (2^64 tries); else `unknown`. In one spelling. */
export function networkOf(ip: string | undefined): string {
  const address = plainAddress(ip)
  if (address === undefined) return 'unknown'
  if (!isIPv6(address)) return address
  const groups = ipv6Groups(address.replace(/%.*$/, ''))
  const mapped = groups[5] === 0xffff && groups.slice(0, 5).every((group) => group === 0)
  const bytes = groups.slice(6).flatMap((group) => [group >> 8, group & 255])
  if (mapped) return bytes.join('.')
  const network = groups.slice(0, 4).map((group) => group.toString(16))
  return `${network.join(':')}::/64`
}

/** The eight groups of an IPv6 address; the URL parser knows every spelling (RFC 5952). */
function ipv6Groups(address: string): number[] {
  const compressed = new URL(`http://[${address}]/`).hostname.slice(1, -1)
  const [head = '', tail] = compressed.split('::')
  const left = head === '' ? [] : head.split(':')
  const right = tail === undefined || tail === '' ? [] : tail.split(':')
  const zeros = Array.from({ length: 8 - left.length - right.length }, () => '0')
  return [...left, ...zeros, ...right].map((group) => Number.parseInt(group, 16))
}

/** Whether a host name or address is this machine itself. */
export function isLoopback(host: string): boolean {
  return (
    host === 'localhost' ||
    host.endsWith('.localhost') ||
    host === '::1' ||
    host === '[::1]' ||
    /^127(?:\.\d{1,3}){3}$/.test(host)
  )
}
