// What the outbox needs of the features: their mails, their texts, and the addresses of their pages.
import type { MailKind, RequestKind } from '../core/mail-kind.ts'
import type { OutboxWork } from '../core/outbox-worker.ts'
import { pickLocale } from '../i18n/pick-locale.ts'
import type { AnyFeature } from './feature.ts'
import type { HttpContext } from './http-context.ts'
import type { Paths } from './paths.ts'

/** Links begin with the configured origin, never with a header of a request. */
export function mailWork(http: HttpContext, paths: Paths, features: readonly AnyFeature[]): OutboxWork {
  return {
    kinds: byName<MailKind>(features.flatMap(({ mails = [] }) => mails)),
    requests: byName<RequestKind>(features.flatMap(({ requests = [] }) => requests)),
    translate: (locale) => http.translator(pickLocale([locale], undefined, http.core.settings.locale)),
    isServed: (name) => paths.find(name) !== undefined,
    link(name, token) {
      const path = paths.find(name)
      if (path === undefined) throw new TypeError(`a mail leads to ${name}, and that feature is left out`)
      const url = new URL(path, http.origin)
      if (token !== undefined) url.searchParams.set('token', token)
      return url.href
    },
  }
}

function byName<Kind extends { readonly name: string }>(kinds: readonly Kind[]): ReadonlyMap<string, Kind> {
  const named = new Map<string, Kind>()
  for (const kind of kinds) {
    // One mail may be of two features: both change a password.
    if ((named.get(kind.name) ?? kind) !== kind) throw new TypeError(`two features have a mail '${kind.name}'`)
    named.set(kind.name, kind)
  }
  return named
}
