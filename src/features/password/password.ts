// `/account/password`: changes the password.
import { z } from 'zod'
import { requireSession } from '../../core/live-session.ts'
import { type Action, action } from '../../http/action.ts'
import { feature } from '../../http/feature.ts'
import { newPassword, passwordText } from '../../http/fields.ts'
import { perMember, proofsPerNetwork } from '../../http/limits.ts'
import { type Page, page } from '../../http/page.ts'
import { findPassword } from '../../storage/users.ts'
import { passwordChangedMail } from '../../users/password-changed-mail.ts'
import { changePassword, passwordChangedEvent } from './change-password.ts'
import en from './texts.en.json' with { type: 'json' }
import zhTW from './texts.zh-TW.json' with { type: 'json' }

const passwordPage: Page = page(
  'password/password',
  async ({ core, caller }) => {
    const stored = await core.db.first(findPassword, { userId: requireSession(caller).user.id })
    // Undefined for a user whom only the application logs in: the page then has no form.
    return { changedAt: stored?.changedAt, now: core.clock.now(), minLength: core.settings.passwords.minLength }
  },
  { wrongCredentials: 'password.wrong_password' },
)

const change: Action = action({
  at: 'page',
  guard: 'member',
  input: ({ passwords }) =>
    z.object({
      currentPassword: passwordText,
      newPassword: newPassword(passwords.minLength).meta({ examples: ['harbour violet kettle'] }),
    }),
  // Each change has a line of its own on the security page: without a limit they could push a login off it.
  limit: [...proofsPerNetwork, perMember('password', { rate: '10 per 1h', counts: ['success'] })],
  page: passwordPage,
  api: {
    name: 'changePassword',
    summary: 'Change the password',
    description:
      'Takes the current password as the proof, however old the login is. Every other session of the user ends; this one goes on under a new id, which the response sets as its cookie.',
    refuses: ['invalid_credentials'],
  },
  run: changePassword,
  answer: (next, { url }) => {
    switch (next) {
      case 'go-on':
        return { to: url('security.page') ?? url('password.page'), notice: 'password_changed' }
      case 'log-in':
        return { to: url('login.page'), notice: 'password_changed_log_in' }
    }
  },
})

export const password = feature({
  name: 'password',
  paths: { page: '/account/password' },
  texts: { en, 'zh-TW': zhTW },
  actions: [change],
  audit: [passwordChangedEvent],
  mails: [passwordChangedMail],
})
