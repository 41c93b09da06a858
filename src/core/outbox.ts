// Puts mails into the outbox, in the transaction of what they are about.
import { networkOf } from '../domain/address.ts'
import { keyedDigest, newNonce, newTimeId, randomDelay } from '../domain/secret.ts'
import type { StoredUser } from '../storage/contract.ts'
import { insertMail, insertRequest } from '../storage/mails.ts'
import { type BoundStatement, bind } from '../storage/statement.ts'
import type { Origin } from './caller.ts'
import type { Core } from './core.ts'
import type { MailData, MailKind, MailRequest, NewMail, RequestKind } from './mail-kind.ts'

const HOUR_MS = 3_600_000
/** How long a mail is tried: a mail server may be away over a weekend. */
const NOTIFICATION_MS = 72 * HOUR_MS
const REQUESTED_MS = 24 * HOUR_MS
/** A request is taken so much later: whoever asks must not hear in the next answer whether there was something to do. */
const MIN_DELAY_MS = 500
const MAX_DELAY_MS = 2000
const MAX_IDENTIFIER = 254

/** The order in which mails go. */
export const PRIORITY = { notification: 0, requested: 1 } as const

/** A mail, for the transaction of the act. `core.outbox.ring()` after the commit, unless a stranger caused it. */
export function mailStatement(core: Core, { kind, to, toKey, user, locale, data = {} }: NewMail): BoundStatement {
  const now = core.clock.now()
  const [key] = core.mailKeys
  return bind(
    insertMail,
    {
      id: newTimeId(now),
      kind: kind.name,
      userId: user.id,
      recipient: to,
      recipientKey: toKey,
      locale: user.locale ?? locale,
      data: JSON.stringify(data),
      epoch: user.credentialEpoch,
      nonce: newNonce(),
      keyId: key.id,
      priority: kind.isNotification ? PRIORITY.notification : PRIORITY.requested,
      now,
      expiresAt: lifetimeEnd(kind.isNotification, now),
    },
    { expectRows: 1 },
  )
}

/** What a stranger asked for: the same single row, whoever it is about. */
export function requestStatement(core: Core, kind: RequestKind, identifier: string, by: Origin): BoundStatement {
  const now = core.clock.now()
  const text = identifier.slice(0, MAX_IDENTIFIER)
  const request: MailRequest = { identifier: text, locale: by.language, network: networkOf(by.ip) }
  const [key] = core.mailKeys
  return bind(insertRequest, {
    id: newTimeId(now),
    kind: kind.name,
    requestKey: keyedDigest(key.bytes, `request\0${kind.name}\0${text.trim().toLowerCase()}`),
    locale: by.language,
    data: JSON.stringify(request),
    priority: PRIORITY.requested,
    dueAt: now + randomDelay(MIN_DELAY_MS, MAX_DELAY_MS),
    now,
    expiresAt: lifetimeEnd(false, now),
  })
}

export function lifetimeEnd(isNotification: boolean, now: number): number {
  return now + (isNotification ? NOTIFICATION_MS : REQUESTED_MS)
}

/** A mail about what happened inside the account, to the address that the user has proven; none if there is none. */
export function notificationsOf(
  { email, emailKey, emailVerified }: StoredUser,
  kind: MailKind,
  by: Origin,
  data: MailData = {},
): readonly Omit<NewMail, 'user'>[] {
  if (!emailVerified || email === undefined || emailKey === undefined) return []
  return [{ kind, to: email, toKey: emailKey, locale: by.language, data }]
}
