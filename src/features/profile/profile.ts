// `/profile`: shows the user's data, and changes display name and language.
import { z } from 'zod'
import { requireSession } from '../../core/live-session.ts'
import { toJson, toUser } from '../../domain/user.ts'
import { type Action, action } from '../../http/action.ts'
import { feature } from '../../http/feature.ts'
import { displayName, locale, nothing } from '../../http/fields.ts'
import { keepLanguage } from '../../http/language-cookie.ts'
import { judged, perMember } from '../../http/limits.ts'
import { page } from '../../http/page.ts'
import { UserBody } from '../../http/shapes.ts'
import { changeProfile, profileChangedEvent } from './change-profile.ts'
import en from './texts.en.json' with { type: 'json' }
import zhTW from './texts.zh-TW.json' with { type: 'json' }

const read: Action = action({
  at: 'page',
  method: 'get',
  guard: 'member',
  input: nothing,
  page: false,
  api: {
    name: 'getProfile',
    summary: 'See who is logged in',
    description: 'The user of the session cookie, as on the profile page.',
    body: UserBody,
  },
  run: (_core, _input, caller) => requireSession(caller).user,
  answer: (user) => ({ body: { user: toJson(toUser(user)) } }),
})

const change: Action = action({
  at: 'page',
  guard: 'member',
  input: z.object({ displayName, locale: locale.optional() }),
  limit: [perMember('profile', judged('30 per 10m'))],
  // The user is part of every page.
  page: page('profile/profile', () => ({})),
  api: {
    name: 'changeProfile',
    summary: 'Change the profile',
    description:
      'Changes the display name and the language of the user. A field that is left out stays as it was; the response is the changed user.',
    body: UserBody,
  },
  run: changeProfile,
  answer: (user, { http, res, url }, input) => {
    if (input.locale !== undefined) keepLanguage(http, res, input.locale)
    return { body: { user: toJson(toUser(user)) }, to: url('profile.page'), notice: 'profile_saved' }
  },
})

export const profile = feature({
  name: 'profile',
  paths: { page: '/profile' },
  texts: { en, 'zh-TW': zhTW },
  actions: [read, change],
  audit: [profileChangedEvent],
  on: { menu: [{ at: 'page', text: 'menu', who: 'member' }] },
})
