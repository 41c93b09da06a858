// Every route of the membership with an input that it accepts, for the attacks of this folder.

import type { Site } from '../support/site.ts'
import { GOOD_PASSWORD } from '../support/visitor.ts'

export const NOBODYS_ID = '00000000-0000-4000-8000-000000000000'

/** The fields of each write, with values that the action takes. */
const INPUTS: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  '/register': {
    username: 'newcomer',
    password: GOOD_PASSWORD,
    displayName: 'New Comer',
    email: 'newcomer@mail.example',
    returnTo: '/profile',
  },
  '/login': { username: 'alice', password: GOOD_PASSWORD, remember: 'on', returnTo: '/profile' },
  '/logout': {},
  '/profile': { displayName: 'Alice' },
  '/account/sessions/:id/end': {},
  '/account/sessions/end-others': {},
  '/language': { locale: 'en', returnTo: '/profile' },
  // The same again, which is refused: a crawl over all routes changes no password.
  '/account/password': { currentPassword: GOOD_PASSWORD, newPassword: GOOD_PASSWORD },
  '/forgot-password': { identifier: 'alice' },
  // Nobody's token: it is refused once its length and that of the password were judged.
  '/reset-password': { token: 'A'.repeat(22), flow: NOBODYS_ID, password: 'harbour violet kettle' },
  // Nobody's token, too.
  '/verify-email': { token: 'A'.repeat(22), flow: NOBODYS_ID, code: 'BCDF-GHJK', password: GOOD_PASSWORD },
  '/verify-email/disown': { token: 'A'.repeat(22), flow: NOBODYS_ID },
  '/verify-email/resend': {},
  '/not-me': { token: 'A'.repeat(22), flow: NOBODYS_ID },
  '/reauthenticate': { password: GOOD_PASSWORD, returnTo: '/profile' },
}

/** Paths that are only read. */
const READS = ['/account/security', '/account/sessions']

export interface Route {
  /** The full path, `:id` filled in with an id that nobody has. */
  readonly path: string
  readonly endpoint: 'page' | 'api'
  /** The fields of the write at this path; undefined if there is none. */
  readonly input: Readonly<Record<string, string>> | undefined
}

/** Every path above at both endpoints, for a server that cannot be asked; a few of them are served at one endpoint only. */
export const ROUTES: readonly Route[] = [...Object.keys(INPUTS), ...READS].flatMap((path) => {
  const full = path.replace(':id', NOBODYS_ID)
  return [
    { path: full, endpoint: 'page', input: INPUTS[path] },
    { path: `/api${full}`, endpoint: 'api', input: INPUTS[path] },
  ] as const
})

/** Every path of a site at both endpoints. Throws if a route is not in the table above: a new route needs its input here. */
export function routesOf({ paths, http }: Site): readonly Route[] {
  return [...new Set(paths)].map((full) => {
    const local = full.slice(http.path.length)
    const endpoint = local.startsWith('/api/') ? 'api' : 'page'
    const path = endpoint === 'api' ? local.slice('/api'.length) : local
    const input = INPUTS[path]
    if (!input && !READS.includes(path)) throw new Error(`test/security/site-map.ts does not know ${path}: add its input`)
    return { path: full.replace(':id', NOBODYS_ID), endpoint, input }
  })
}

export function writesOf(site: Site): readonly (Route & { readonly input: Readonly<Record<string, string>> })[] {
  return routesOf(site).flatMap((place) => (place.input ? [{ ...place, input: place.input }] : []))
}

/** The body and its content type, as the endpoint wants them. */
export function bodyFor(endpoint: 'page' | 'api', fields: object): { readonly type: string; readonly body: string } {
  if (endpoint === 'api') return { type: 'application/json', body: JSON.stringify(fields) }
  const pairs = Object.entries(fields).map(([name, value]): [string, string] => [name, asText(value)])
  return { type: 'application/x-www-form-urlencoded', body: new URLSearchParams(pairs).toString() }
}

export function asText(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value)
}

/** What no answer may ever hold: a stack, SQL, a path of this machine, the inside of the program. */
export const LEAK =
  /\bat .{1,200}:\d+:\d+\)?|node_modules|node:internal|\/src\/|file:\/\/|SQLITE|\bselect\b.{1,80}\bfrom\b|insert into|TypeError|ReferenceError|SyntaxError|RangeError|ZodError|\$argon2|credential_epoch|username_key/i
