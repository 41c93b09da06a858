// The mails of a recovery: one with a link, and one for an address that an account only claims.
import type { MailData, MailKind } from '../core/mail-kind.ts'
import type { TokenPurpose } from '../core/tokens.ts'

const LIFE_MS = 30 * 60_000

/** Bound to its address: a link in an old mailbox dies with a change of the address. */
export const resetPurpose: TokenPurpose = {
  name: 'reset',
  endsWith: 'credentials',
  lifeMs: LIFE_MS,
  isBoundToAddress: true,
}

export const resetMail: MailKind = {
  name: 'reset',
  isNotification: false,
  purpose: resetPurpose,
  isStale: ({ status }) => status !== 'active',
  compose({ t, user: { username }, data, siteName: site, link }) {
    const text = (key: string) => t(`password-reset.mail.reset.${key}`, { username, site })
    return {
      subject: text('subject'),
      heading: text('heading'),
      blocks: [
        { paragraph: text(whyOf(data)) },
        { button: text('button'), url: link('password-reset.choose') },
        { paragraph: text('life') },
      ],
      foot: text('foot'),
    }
  },
}

function whyOf({ isAlarm, hasPassword, byOperator }: MailData): string {
  if (isAlarm === true) return 'alarm'
  if (hasPassword === false) return 'none'
  return byOperator === true ? 'sent' : 'asked'
}

/** Without a link that opens anything: the mailbox may be that of a stranger whose address somebody mistyped. */
export const claimMail: MailKind = {
  name: 'reset-claim',
  isNotification: false,
  isStale: ({ status }) => status !== 'active',
  compose({ t, user: { username }, siteName: site, link }) {
    const text = (key: string) => t(`password-reset.mail.claim.${key}`, { username, site })
    return {
      subject: text('subject'),
      heading: text('heading'),
      blocks: [{ paragraph: text('asked') }, { paragraph: text('yours') }, { button: text('button'), url: link('login.page') }],
      foot: text('foot'),
    }
  },
}
