// Finds the name that was probably meant by a misspelt one.

/** One letter more, less or different, or two adjacent letters swapped. */
export function isOneTypoApart(a: string, b: string): boolean {
  if (Math.abs(a.length - b.length) > 1) return false
  let start = 0
  while (start < Math.min(a.length, b.length) && a[start] === b[start]) start++
  const rest = (text: string, skip: number) => text.slice(start + skip)
  if (rest(a, 1) === rest(b, 1) || rest(a, 1) === rest(b, 0) || rest(a, 0) === rest(b, 1)) return true
  return a[start] === b[start + 1] && a[start + 1] === b[start] && rest(a, 2) === rest(b, 2)
}

/**
 * Which of `all`, full names like `cookie.secure`, was probably meant by `key`, a last part: the same in another group, or one with a typo.
 */
export function suggestName(key: string, all: readonly string[]): string | undefined {
  return all.find((known) => lastPart(known) === key) ?? all.find((known) => isOneTypoApart(plain(lastPart(known)), plain(key)))
}

function lastPart(name: string): string {
  return name.slice(name.lastIndexOf('.') + 1)
}

function plain(name: string): string {
  return name.toLowerCase().replace(/[_-]/g, '')
}
