// `/logout`: logs out. GET only shows a button.
import { logoutEvent, signOut } from '../../core/sign-out.ts'
import { type Action, action } from '../../http/action.ts'
import { feature } from '../../http/feature.ts'
import { nothing } from '../../http/fields.ts'
import { page } from '../../http/page.ts'
import en from './texts.en.json' with { type: 'json' }
import zhTW from './texts.zh-TW.json' with { type: 'json' }

const logOut: Action = action({
  at: 'page',
  guard: 'anybody',
  input: nothing,
  page: page('logout/logout', () => ({})),
  api: {
    name: 'logOut',
    summary: 'Log out',
    description: 'Ends the session of this request and clears its cookie. Works in any state, also repeatedly.',
  },
  run: (core, _input, caller) => signOut(core, caller),
  answer: (_result, { url }) => ({ to: url('login.page'), notice: 'logged_out' }),
})

export const logout = feature({
  name: 'logout',
  paths: { page: '/logout' },
  texts: { en, 'zh-TW': zhTW },
  actions: [logOut],
  audit: [logoutEvent],
  on: { menu: [{ at: 'page', text: 'menu', who: 'member', as: 'button' }] },
})
