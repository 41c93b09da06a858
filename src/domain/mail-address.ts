// Reads a mail address as browsers do: no list, no quotes, no comment; its domain in ASCII.
import { domainToASCII } from 'node:url'

export interface MailAddress {
  /** As typed, with the domain in ASCII. */
  readonly address: string
  /** As compared. */
  readonly key: string
}

/** https://html.spec.whatwg.org/#valid-e-mail-address */
const LOCAL = /^[a-z0-9.!#$%&'*+/=?^_\x60{|}~-]+$/i
const DOMAIN = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)*$/i
// RFC 5321 sections 4.5.3.1.1 and 4.5.3.1.3, less the two angle brackets.
const MAX_LOCAL_LENGTH = 64
export const MAX_ADDRESS = 254
/** Letters of any script and the dots between labels: `domainToASCII` would also decode `%61` and read `0x7f.1` as a number. */
const TYPED_DOMAIN = /^[\p{L}\p{M}\p{N}.\u3002-]+$/u
const INVISIBLE = /\p{Default_Ignorable_Code_Point}/u
/** https://url.spec.whatwg.org/#ends-in-a-number-checker */
const NUMBER = /(?:^|\.)(?:\d+|0x[\da-f]*)$/i

export function isMailAddress(text: string): boolean {
  const [local = '', domain = '', ...more] = text.split('@')
  return more.length === 0 && isLocalPart(local) && DOMAIN.test(domain) && text.length <= MAX_ADDRESS
}

/**
 * Undefined if the text is none. Names of any script are brought to ASCII first and judged afterwards; what only looks like another letter,
 * as full-width ones do, is refused. Letter case is not compared; dots and `+` in the local part are. Idempotent.
 */
export function readMailAddress(typed: string): MailAddress | undefined {
  // In ASCII a domain may be longer than typed, never so much shorter.
  if (typed.length > 2 * MAX_ADDRESS) return undefined
  const [local = '', domain = '', ...more] = typed.replace(/^ +| +$/g, '').split('@')
  if (more.length > 0 || !isLocalPart(local)) return undefined
  const ascii = asciiDomain(domain)
  const address = `${local}@${ascii}`
  if (ascii === undefined || address.length > MAX_ADDRESS) return undefined
  return { address, key: address.toLowerCase() }
}

export function domainOf(address: string): string {
  return address.slice(address.indexOf('@') + 1)
}

/** What stands before the `@`. */
export function localPartOf(address: string): string {
  return address.slice(0, Math.max(0, address.indexOf('@')))
}

function isLocalPart(text: string): boolean {
  return text.length <= MAX_LOCAL_LENGTH && LOCAL.test(text)
}

function asciiDomain(typed: string): string | undefined {
  const domain = typed.normalize('NFC')
  if (!TYPED_DOMAIN.test(domain) || INVISIBLE.test(domain) || domain.normalize('NFKC') !== domain) return undefined
  const ascii = domainToASCII(domain)
  const isNamed = DOMAIN.test(ascii) && ascii.includes('.') && !NUMBER.test(ascii)
  return isNamed ? ascii : undefined
}
