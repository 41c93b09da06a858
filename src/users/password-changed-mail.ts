// The mail to a member whose password was changed.
import type { MailKind } from '../core/mail-kind.ts'
import { notMePurpose } from './not-me-link.ts'

export const passwordChangedMail: MailKind = {
  name: 'password-changed',
  isNotification: true,
  purpose: notMePurpose,
  compose({ t, user, data, siteName, createdAt, link, isServed }) {
    const at = t.date(createdAt, 'long')
    const values = { username: user.username, site: siteName, at }
    return {
      subject: t('password.mail_subject', { at }),
      heading: t('password.mail_heading'),
      blocks: [
        { paragraph: t(data.byMail === true ? 'password.mail_text_by_mail' : 'password.mail_text', values) },
        ...(isServed('not-me.page')
          ? [{ paragraph: t('password.mail_alarm') }, { button: t('password.mail_alarm_button'), url: link('not-me.page') }]
          : [{ paragraph: t(data.byMail === true ? 'password.mail_not_me_by_mail' : 'password.mail_not_me') }]),
      ],
      foot: t('password.mail_foot', { site: siteName }),
    }
  },
}
