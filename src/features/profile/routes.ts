// `/profile`: a person sees their data and changes what the site calls them.
import { z } from 'zod'
import { requireSession } from '../../core/live-session.ts'
import { toJson, toUser } from '../../domain/user.ts'
import { action } from '../../http/action.ts'
import { displayName, locale, nothing } from '../../http/fields.ts'
import { keepLanguage } from '../../http/language-cookie.ts'
import { perMember } from '../../http/limits.ts'
import { page } from '../../http/page.ts'
import { UserBody } from '../../http/shapes.ts'
import { changeProfile } from './change-profile.ts'

const read = action({
  path: '/profile',
  method: 'get',
  guard: 'member',
  input: nothing,
  endpoints: ['api'],
  api: { summary: 'The person who is logged in.', body: UserBody },
  run: (_core, _input, caller) => requireSession(caller).user,
  answer: (user) => ({ body: { user: toJson(toUser(user)) } }),
})

const change = action({
  path: '/profile',
  guard: 'member',
  input: z.object({ displayName, locale: locale.optional() }),
  limits: [perMember('profile', '30 per 10m')],
  page: page('profile', ({ caller }) => ({ profile: requireSession(caller).user }), { current: 'profile' }),
  api: { summary: 'Changes what the site calls the person, and in which language it speaks.', body: UserBody },
  run: changeProfile,
  answer: (user, { http, res }, input) => {
    if (input.locale !== undefined) keepLanguage(http, res, input.locale)
    return { body: { user: toJson(toUser(user)) }, to: http.url('/profile'), notice: 'profile_saved' }
  },
})

export const profileRoutes = [...read, ...change]
