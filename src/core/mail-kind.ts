// A kind of mail, and a request by a stranger that the worker turns into mails.
import type { User } from '../domain/user.ts'
import type { Locale, Translate } from '../i18n/translate.ts'
import type { Composition } from '../mail/compose.ts'
import type { StoredUser } from '../storage/contract.ts'
import type { Core } from './core.ts'
import type { TokenPurpose } from './tokens.ts'

/** For JSON, without tokens and codes. */
export type MailData = Readonly<Record<string, string | number | boolean>>

/** Composed when it is sent, so that nothing of its text is stored. */
export interface MailKind {
  readonly name: string
  /** About what happened inside the account: it goes first and has no limit. */
  readonly isNotification: boolean
  /** Its link carries a token for this. */
  readonly purpose?: TokenPurpose
  /** Whether it is no longer worth sending, beyond what its purpose says. */
  isStale?(user: StoredUser, to: string): boolean
  compose(context: MailContext): Omit<Composition, 'lang'>
}

export interface MailContext {
  readonly t: Translate<string>
  readonly user: User
  readonly to: string
  readonly data: MailData
  readonly siteName: string
  /** Milliseconds since 1970 UTC. */
  readonly createdAt: number
  /** The address of a page, `link('password-reset.choose')`, with the token if the mail has one. Throws a TypeError if its feature is left out. */
  link(path: string): string
  /** Whether there is this page. */
  isServed(path: string): boolean
  /** The code of its token, in two halves for the eye; empty without one. */
  readonly code: string
}

/** A mail to one address of a user. */
export interface NewMail {
  readonly kind: MailKind
  readonly to: string
  /** The same address, as compared. */
  readonly toKey: string
  readonly user: Pick<StoredUser, 'id' | 'credentialEpoch' | 'locale'>
  /** The language of the request, for a user who has chosen none. */
  readonly locale: string | undefined
  /** Default: none. It becomes the data of the token, too. */
  readonly data?: MailData
}

/** What a stranger asked for. */
export interface MailRequest {
  readonly identifier: string
  readonly locale: Locale | undefined
  readonly network: string | undefined
}

/** Something that anybody may ask for: the answer and the write are the same whoever it is about. */
export interface RequestKind {
  readonly name: string
  /** Run by the worker. Each mail is limited by its recipient, the network of the request, and in all. */
  decide(core: Core, request: MailRequest): Promise<readonly RequestedMail[]>
}

export interface RequestedMail extends NewMail {
  /** A way back in for the owner of a proven address: half of what the site sends is for these alone. */
  readonly isRecovery?: boolean
}
