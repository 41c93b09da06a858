// Recognises a mail address as browsers do: no list, no quotes, no comment.

/** https://html.spec.whatwg.org/#valid-e-mail-address */
const ADDRESS = /^[a-z0-9.!#$%&'*+/=?^_`{|}~-]+@[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)*$/i
// RFC 5321 sections 4.5.3.1.1 and 4.5.3.1.3, less the two angle brackets.
const MAX_LOCAL_LENGTH = 64
const MAX_LENGTH = 254

export function isMailAddress(text: string): boolean {
  return text.length <= MAX_LENGTH && text.indexOf('@') <= MAX_LOCAL_LENGTH && ADDRESS.test(text)
}

export function domainOf(address: string): string {
  return address.slice(address.indexOf('@') + 1)
}
