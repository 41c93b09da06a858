// Checks redirect targets: only paths of this site are allowed (open redirect, CWE-601).

/** A longer path is dropped. */
const MAX_PATH = 1024

const NOWHERE = 'http://nowhere.invalid'

/** Words between single slashes: every parser reads them as they stand. */
const PLAIN = /^(?:\/[\w-]+)+$/

/** The path with query and fragment, as browsers read it; undefined if it is invalid, or leads to another site. */
export function localPath(text: string | undefined): string | undefined {
  if (text === undefined || text.length > MAX_PATH) return undefined
  if (PLAIN.test(text)) return text
  // Browsers drop tabs and line breaks and read a backslash as a slash.
  if (!text.startsWith('/') || /[ \p{Cc}\\]/u.test(text)) return undefined
  const url = URL.parse(text, NOWHERE)
  if (url?.origin !== NOWHERE) return undefined
  const path = url.pathname + url.search + url.hash
  // `/..//evil.example` is `//evil.example` once the dots are resolved.
  return path.startsWith('//') ? undefined : path
}

/** The path of a login page that leads to `back` afterwards. */
export function withReturnTo(page: string, back: string | undefined): string {
  return back === undefined ? page : `${page}?returnTo=${encodeURIComponent(back)}`
}

/** The local path of the page that a form was sent from, if it is of this origin. */
export function localReferer(referer: string | undefined, origin: string): string | undefined {
  const url = referer === undefined ? null : URL.parse(referer)
  return url?.origin === origin ? localPath(url.pathname + url.search) : undefined
}
