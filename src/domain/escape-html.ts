// Escapes text for HTML, as content and in quoted attributes.

const ENTITIES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' }

// Characters that end a text or an attribute; and control characters, which HTML forbids (https://html.spec.whatwg.org/#text-2) and we
// omit.
const UNSAFE = /[&<>"']|[^\P{Cc}\t\n\r]/gu

export function escapeHtml(text: string): string {
  // Most texts have none of them, and searching is cheaper than replacing.
  return text.search(UNSAFE) < 0 ? text : text.replace(UNSAFE, (character) => ENTITIES[character] ?? '')
}
