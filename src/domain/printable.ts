// Makes strangers' text safe to print: terminals obey control characters, those of C1 in UTF-8 too.

/** C0 but for tab and line feed, DEL, C1; what turns the reading direction round, and separators that look like a new line. */
const OBEYED = /[^\P{Cc}\t\n]|[\u2028\u2029\u061C\u200E\u200F\u202A-\u202E\u2066-\u2069]/gu

/** Each as the escape that JSON and JavaScript have for it: `\u009b`. In a JSON text the values stay what they were. */
export function printable(text: string): string {
  return text.replace(OBEYED, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`)
}
