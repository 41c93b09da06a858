// `/not-me`: the owner of an account says that what a mail reports was somebody else's doing.
import { z } from 'zod'
import { type Action, action } from '../../http/action.ts'
import { feature } from '../../http/feature.ts'
import { flowNumber, mailedToken } from '../../http/fields.ts'
import { judged, perNetwork } from '../../http/limits.ts'
import { linkPage } from '../../http/link-page.ts'
import { type Page, page } from '../../http/page.ts'
import { notMeEvent } from '../../users/end-intrusion.ts'
import { notMePurpose } from '../../users/not-me-link.ts'
import { findNotMeLink, sayNotMe } from './say-not-me.ts'
import en from './texts.en.json' with { type: 'json' }
import zhTW from './texts.zh-TW.json' with { type: 'json' }

const notMePage: Page = linkPage(
  notMePurpose,
  page('not-me/not-me', async ({ core, caller, flow }) => {
    const link = await findNotMeLink(core, flow, caller)
    return { flow: link && flow, account: link?.token.user.username }
  }),
)

const say: Action = action({
  at: 'page',
  guard: 'anybody',
  input: z.object({ token: mailedToken.optional(), flow: flowNumber }),
  limit: [perNetwork('not-me', judged('60 per 10m'))],
  page: notMePage,
  api: {
    name: 'sayNotMe',
    summary: 'Say that it was somebody else',
    description:
      'Takes the token of the link in a mail that reports a change. Every session of the user ends, and a link to set a new password is mailed to the address, if it is still the user’s.',
    refuses: ['invalid_token'],
  },
  run: sayNotMe,
  answer: (_result, { url }) => ({ to: url('login.page'), notice: 'not_me' }),
})

export const notMe = feature({
  name: 'not-me',
  paths: { page: '/not-me' },
  texts: { en, 'zh-TW': zhTW },
  actions: [say],
  needs: ({ mail, email }) => mail !== undefined && email !== 'off',
  audit: [notMeEvent],
})
