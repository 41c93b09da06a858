// The mail to a member whose password was changed.
import type { MailKind } from '../../core/mail-kind.ts'

export const passwordChangedMail: MailKind = {
  name: 'password-changed',
  isNotification: true,
  compose({ t, user, siteName, createdAt, link }) {
    const at = t.date(createdAt, 'long')
    return {
      subject: t('password.mail_subject', { at }),
      heading: t('password.mail_heading'),
      blocks: [
        { paragraph: t('password.mail_text', { username: user.username, site: siteName, at }) },
        { paragraph: t('password.mail_not_me') },
        { button: t('password.mail_button'), url: link('login.page') },
      ],
      foot: t('password.mail_foot', { site: siteName }),
    }
  },
}
