// Makes text safe in HTML, in a text and in a quoted attribute.

const ENTITIES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' }

// What ends a text or an attribute, and control characters, which HTML may not hold (https://html.spec.whatwg.org/#text-2): they are left out.
const UNSAFE = /[&<>"']|[^\P{Cc}\t\n\r]/gu

export function escapeHtml(text: string): string {
  // Most texts hold none of them, and looking is cheaper than replacing.
  return text.search(UNSAFE) < 0 ? text : text.replace(UNSAFE, (character) => ENTITIES[character] ?? '')
}
