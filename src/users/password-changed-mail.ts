// The mail to a member whose password was changed.
import type { MailKind } from '../core/mail-kind.ts'

export const passwordChangedMail: MailKind = {
  name: 'password-changed',
  isNotification: true,
  compose({ t, user, data, siteName, createdAt, link }) {
    const at = t.date(createdAt, 'long')
    const values = { username: user.username, site: siteName, at }
    return {
      subject: t('password.mail_subject', { at }),
      heading: t('password.mail_heading'),
      blocks: [
        { paragraph: t(data.byMail === true ? 'password.mail_text_by_mail' : 'password.mail_text', values) },
        { paragraph: t(data.byMail === true ? 'password.mail_not_me_by_mail' : 'password.mail_not_me') },
        { button: t('password.mail_button'), url: link('login.page') },
      ],
      foot: t('password.mail_foot', { site: siteName }),
    }
  },
}
