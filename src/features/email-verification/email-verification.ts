// `/verify-email`: proves the mail address of an account by a mailed link or code, or disowns it.
import { z } from 'zod'
import { type Action, action } from '../../http/action.ts'
import { feature } from '../../http/feature.ts'
import { flowNumber, mailedCode, mailedToken, nothing, passwordText } from '../../http/fields.ts'
import { type Part, part } from '../../http/http-context.ts'
import { judged, perMember, perNetwork, proofsPerNetwork } from '../../http/limits.ts'
import { linkPage } from '../../http/link-page.ts'
import { type Page, page } from '../../http/page.ts'
import { verifyRequest } from '../../users/verification.ts'
import { addressTakenMail, verifyMail, verifyPurpose } from '../../users/verification-mails.ts'
import { disownAddress, emailDisownedEvent } from './disown-address.ts'
import { sendAgain } from './send-again.ts'
import en from './texts.en.json' with { type: 'json' }
import zhTW from './texts.zh-TW.json' with { type: 'json' }
import { emailVerifiedEvent, verifyAddress } from './verify-address.ts'
import { addressPanel, verifyState } from './verify-state.ts'

const VerifyInput = z.object({
  token: mailedToken.optional(),
  flow: flowNumber,
  code: mailedCode.optional(),
  password: passwordText.optional(),
})

const verifyPage: Page = linkPage(
  verifyPurpose,
  page('email-verification/verify', verifyState, { wrongCredentials: 'email-verification.wrong_password' }),
)

/** A password counts as a login; without one nobody is guessing at it. */
const proofsWithPassword = proofsPerNetwork.map((limit) => ({
  ...limit,
  subject: (input: z.output<typeof VerifyInput>, ...of: [Parameters<typeof limit.subject>[1]]) =>
    input.password === undefined ? undefined : limit.subject(input, ...of),
}))

const verify: Action = action({
  at: 'page',
  guard: 'anybody',
  input: VerifyInput,
  limit: [...proofsWithPassword, perNetwork('verification', judged('60 per 10m'))],
  page: verifyPage,
  api: {
    name: 'verifyEmail',
    summary: 'Prove the mail address',
    description:
      'Takes the token of the mailed link, or its code. Works only together with the account: with a session of the same user, or with `password` beside the token, which counts as a try to log in. Anybody else gets `login_required`, and the token stays good. Whoever else claimed the address has none afterwards.',
    refuses: ['invalid_token', 'invalid_code', 'invalid_credentials', 'login_required'],
  },
  run: verifyAddress,
  answer: (by, { url }) => {
    switch (by) {
      case 'session':
        return { to: url('security.page') ?? url('profile.page'), notice: 'email_verified' }
      case 'password':
        return { to: url('login.page'), notice: 'email_verified_log_in' }
    }
  },
})

const disown: Action = action({
  at: 'page/disown',
  guard: 'anybody',
  input: z.object({ token: mailedToken.optional(), flow: flowNumber }),
  limit: [perNetwork('verification', judged('60 per 10m'))],
  api: {
    name: 'disownEmail',
    summary: 'Say that an account is not yours',
    description:
      'Takes the token of the mailed link. The account that claims the address has none afterwards, and its sessions end.',
    refuses: ['invalid_token'],
  },
  run: disownAddress,
  answer: (_result, { url }) => ({ to: url('login.page'), notice: 'email_disowned' }),
})

const resend: Action = action({
  at: 'page/resend',
  guard: 'member',
  input: nothing,
  limit: [perMember('verification mail', judged('60 per 1h'))],
  api: {
    name: 'resendVerification',
    summary: 'Ask for the mail once more',
    description:
      'The answer is always the same. If the address of the user is not proven yet, a mail with a new link and code follows a little later; only a few an hour are sent.',
    status: 202,
  },
  run: sendAgain,
  answer: (_result, { url }) => ({ to: url('email-verification.page'), notice: 'verification_sent' }),
})

const panel: Part = part('email-verification/panel', addressPanel)

export const emailVerification = feature({
  name: 'email-verification',
  paths: { page: '/verify-email' },
  texts: { en, 'zh-TW': zhTW },
  actions: [verify, disown, resend],
  needs: ({ email }) => email !== 'off',
  audit: [emailVerifiedEvent, emailDisownedEvent],
  mails: [verifyMail, addressTakenMail],
  requests: [verifyRequest],
  on: { security: [panel] },
})
