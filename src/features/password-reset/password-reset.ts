// `/forgot-password` and `/reset-password`: a mailed link sets a new password.
import { z } from 'zod'
import { requestStatement } from '../../core/outbox.ts'
import { type Action, action } from '../../http/action.ts'
import { feature } from '../../http/feature.ts'
import { flowNumber, mailedToken, newPassword } from '../../http/fields.ts'
import { type Part, part } from '../../http/http-context.ts'
import { judged, perNetwork } from '../../http/limits.ts'
import { linkPage } from '../../http/link-page.ts'
import { type Page, page } from '../../http/page.ts'
import { passwordResetEvent } from '../../users/finish-recovery.ts'
import { passwordChangedMail } from '../../users/password-changed-mail.ts'
import { resetRequest, resetSentEvent } from '../../users/recovery.ts'
import { claimMail, resetMail, resetPurpose } from '../../users/recovery-mails.ts'
import { findResetLink, resetPassword } from './reset-password.ts'
import en from './texts.en.json' with { type: 'json' }
import zhTW from './texts.zh-TW.json' with { type: 'json' }

/** RFC 5321 section 4.5.3.1.3: no address is longer. */
const MAX_IDENTIFIER = 254

const requestPage: Page = page('password-reset/request', (context) => ({
  isSent: context.query('notice') === 'reset_requested',
}))

const request: Action = action({
  at: 'request',
  guard: 'anybody',
  input: z.object({
    identifier: z
      .string()
      .min(1)
      .max(MAX_IDENTIFIER)
      .meta({ description: 'The username, or the mail address.', examples: ['alice'] }),
  }),
  limit: [perNetwork('reset request', judged('60 per 1h'))],
  page: requestPage,
  api: {
    name: 'requestPasswordReset',
    summary: 'Ask for a link to set a new password',
    description:
      'Answers the same whether or not there is such a user. If there is one with a mail address, a link that works once and for 30 minutes is mailed a little later. Nothing else changes: the old password goes on working.',
    status: 202,
  },
  run: (core, { identifier }, caller) => core.db.transaction([requestStatement(core, resetRequest, identifier, caller)]),
  answer: (_result, { url }) => ({ to: url('password-reset.request'), notice: 'reset_requested' }),
})

const choosePage: Page = linkPage(
  resetPurpose,
  page('password-reset/choose', async ({ core, caller, flow }) => {
    const link = await findResetLink(core, flow, caller)
    return { flow: link && flow, account: link?.token.user.username, minLength: core.settings.passwords.minLength }
  }),
)

const choose: Action = action({
  at: 'choose',
  guard: 'anybody',
  input: ({ passwords }) =>
    z.object({
      token: mailedToken.optional(),
      flow: flowNumber,
      password: newPassword(passwords.minLength),
    }),
  limit: [perNetwork('reset', judged('60 per 10m'))],
  page: choosePage,
  api: {
    name: 'resetPassword',
    summary: 'Set a new password by a mailed link',
    description:
      'Takes the token of the link. Every session of the user ends, and every other mailed link dies with this one; nobody is logged in. A password that is refused does not use the token up.',
    refuses: ['invalid_token'],
  },
  run: resetPassword,
  answer: (_result, { url }) => ({ to: url('login.page'), notice: 'password_reset' }),
})

const forgotLink: Part = part('password-reset/forgot-link', ({ url }) => ({ forgotPath: url('password-reset.request') }))

export const passwordReset = feature({
  name: 'password-reset',
  paths: { request: '/forgot-password', choose: '/reset-password' },
  texts: { en, 'zh-TW': zhTW },
  actions: [request, choose],
  needs: ({ mail, email }) => mail !== undefined && email !== 'off',
  audit: [passwordResetEvent, resetSentEvent],
  mails: [resetMail, claimMail, passwordChangedMail],
  requests: [resetRequest],
  on: { login: [forgotLink] },
})
