// The people of the benchmark: a name, a network and a password for each number.

export const PASSWORD = 'granite lantern ferry'

export function memberName(index: number): string {
  return `member-${index}`
}

/** One address each, out of a range that belongs to nobody (RFC 2544). */
export function networkOf(index: number): string {
  return `198.18.${index >> 8}.${index & 255}`
}
