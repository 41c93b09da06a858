// The people of the benchmark: a name, an address, a network and a password for each number.

export const PASSWORD = 'granite lantern ferry'

/** Where one logs in, and by what. */
export interface Door {
  readonly path: string
  readonly by: 'username' | 'email'
}

/** Accounts that take turns in the storm. */
export const MEMBERS = 400

export function memberName(index: number): string {
  return `member-${index}`
}

export function memberAddress(index: number): string {
  return `${memberName(index)}@example.org`
}

/** One address each, out of a range that belongs to nobody (RFC 2544). */
export function networkOf(index: number): string {
  return `198.18.${index >> 8}.${index & 255}`
}

export function bodyOfLogin({ by }: Door, index: number): Readonly<Record<string, string>> {
  return { [by]: by === 'email' ? memberAddress(index) : memberName(index), password: PASSWORD }
}
