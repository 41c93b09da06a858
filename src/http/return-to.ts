// Where a person goes after a login: only ever a path of this site (open redirect, CWE-601).

/** A longer path is dropped. */
const MAX_PATH = 1024

const NOWHERE = 'http://nowhere.invalid'

/** Words between single slashes: every parser reads them as they stand. */
const PLAIN = /^(?:\/[\w-]+)+$/

/** The path, its query and fragment, as a browser will read them; undefined where the text leads elsewhere or nowhere. */
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

/** A page of the login, which leads on to `back` afterwards. */
export function withReturnTo(page: string, back: string | undefined): string {
  return back === undefined ? page : `${page}?returnTo=${encodeURIComponent(back)}`
}

/** The local path of a page of this origin that a form was sent from. */
export function localReferer(referer: string | undefined, origin: string): string | undefined {
  const url = referer === undefined ? null : URL.parse(referer)
  return url?.origin === origin ? localPath(url.pathname + url.search) : undefined
}
