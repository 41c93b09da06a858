// `/login`: logs in by the password, and the username or a proven address.
import { z } from 'zod'
import { loginEvent } from '../../core/sign-in.ts'
import { type Action, action } from '../../http/action.ts'
import { feature } from '../../http/feature.ts'
import { flag, identifier, passwordText, returnTo } from '../../http/fields.ts'
import { proofsPerNetwork, proofsPerUser } from '../../http/limits.ts'
import { type Page, page } from '../../http/page.ts'
import { renderParts } from '../../http/page-data.ts'
import { UserBody } from '../../http/shapes.ts'
import { signedIn } from '../../http/signed-in.ts'
import { logIn } from './log-in.ts'
import en from './texts.en.json' with { type: 'json' }
import zhTW from './texts.zh-TW.json' with { type: 'json' }

const remember = flag.default(false).meta({ description: 'Keeps the person logged in when the browser is closed.' })

const DAY_MS = 86_400_000

const loginPage: Page = page('login/login', async (context) => ({
  takesEmail: context.core.settings.email !== 'off',
  rememberDays: Math.round(context.core.settings.remember.absoluteMs / DAY_MS),
  parts: await renderParts(context, context.http.parts.login),
}))

const logInAction: Action = action({
  at: 'page',
  guard: 'guest',
  input: z.object({ username: identifier, password: passwordText, remember, returnTo }),
  limit: [...proofsPerNetwork, proofsPerUser],
  page: loginPage,
  api: {
    name: 'logIn',
    summary: 'Log in',
    description:
      'Takes the username or an address that the user has proven, in any case, and the password. The response sets the session cookie; an earlier session id is dead. The refusal does not say whether the name is unknown or the password wrong.',
    body: UserBody,
    refuses: ['invalid_credentials', 'refused'],
  },
  run: logIn,
  onRejected: (core, code, { ip, requestId }) => {
    const outcome = code === 'overloaded' ? 'overloaded' : 'throttled'
    core.events.emit('login', { outcome, user: undefined, ip, requestId })
  },
  answer: signedIn,
})

export const login = feature({
  name: 'login',
  paths: { page: '/login' },
  texts: { en, 'zh-TW': zhTW },
  actions: [logInAction],
  audit: [loginEvent],
  on: { menu: [{ at: 'page', text: 'menu', who: 'guest' }] },
})
