// `/reauthenticate`: asks for the password again, before acts that need a recent login.
import { z } from 'zod'
import { type Action, action } from '../../http/action.ts'
import { feature } from '../../http/feature.ts'
import { passwordText, returnTo } from '../../http/fields.ts'
import { perMember, proofsPerNetwork } from '../../http/limits.ts'
import { page } from '../../http/page.ts'
import { localPath } from '../../http/return-to.ts'
import { reauthenticate, recentLoginEvent } from './reauthenticate.ts'
import en from './texts.en.json' with { type: 'json' }
import zhTW from './texts.zh-TW.json' with { type: 'json' }

const confirm: Action = action({
  at: 'page',
  guard: 'member',
  input: z.object({ password: passwordText, returnTo }),
  // By user, as the session gets a new id each time; nobody else can use up this counter.
  limit: [...proofsPerNetwork, perMember('confirmations', { rate: '30 per 10m', counts: ['success'] })],
  page: page('recent-login/reauthenticate', () => ({}), { wrongCredentials: 'recent-login.wrong_password' }),
  api: {
    name: 'confirmLogin',
    summary: 'Confirm the password',
    description:
      'For acts that need a recent login, after 403 `recent_login_required`. The session goes on under a new id, which the response sets as its cookie.',
    refuses: ['invalid_credentials'],
  },
  run: reauthenticate,
  answer: (_result, _context, input) => ({ to: localPath(input.returnTo) }),
})

export const recentLogin = feature({
  name: 'recent-login',
  paths: { page: '/reauthenticate' },
  texts: { en, 'zh-TW': zhTW },
  actions: [confirm],
  audit: [recentLoginEvent],
})
