// The mails of a proof: link and code for who registered, and a notice for who has proven the address before.
import type { MailKind } from '../core/mail-kind.ts'
import type { TokenPurpose } from '../core/tokens.ts'

const LIFE_MS = 24 * 3_600_000

export const verifyPurpose: TokenPurpose = {
  name: 'verify',
  endsWith: 'address',
  lifeMs: LIFE_MS,
  hasCode: true,
  isBoundToAddress: true,
}

export const verifyMail: MailKind = {
  name: 'verify',
  isNotification: false,
  purpose: verifyPurpose,
  isStale: ({ status, emailVerified }) => status !== 'active' || emailVerified,
  compose({ t, user: { username }, to, siteName: site, code, link }) {
    const text = (key: string) => t(`email-verification.mail.verify.${key}`, { username, site, address: to })
    return {
      subject: text('subject'),
      heading: text('heading'),
      blocks: [
        { paragraph: text('asked') },
        { button: text('button'), url: link('email-verification.page') },
        { paragraph: text('code') },
        { code },
        { paragraph: text('not_me') },
      ],
      foot: text('foot'),
    }
  },
}

/** Says nothing about the other account, not even its name: that is somebody else's choice, and may be an insult. */
export const addressTakenMail: MailKind = {
  name: 'address-taken',
  isNotification: false,
  isStale: ({ status, emailVerified }) => status !== 'active' || !emailVerified,
  compose({ t, user: { username }, to, siteName: site, link }) {
    const text = (key: string) => t(`email-verification.mail.taken.${key}`, { username, site, address: to })
    return {
      subject: text('subject'),
      heading: text('heading'),
      blocks: [{ paragraph: text('tried') }, { paragraph: text('yours') }, { button: text('button'), url: link('login.page') }],
      foot: text('foot'),
    }
  },
}
