// Makes untrusted text safe to print: terminals obey control characters, also C1 in UTF-8.

/** C0 except tab and line feed, DEL, C1; direction marks and overrides; separators that look like a new line. */
const UNSAFE = /[^\P{Cc}\t\n]|[\u2028\u2029\u061C\u200E\u200F\u202A-\u202E\u2066-\u2069]/gu

/** Writes each unsafe character as its JSON escape, `\u009b`: a JSON text keeps its values. */
export function printable(text: string): string {
  return text.replace(UNSAFE, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`)
}
