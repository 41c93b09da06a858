// `/register`: registers a visitor and logs them in.
import { z } from 'zod'
import { type Action, action } from '../../http/action.ts'
import { feature } from '../../http/feature.ts'
import { displayName, emailAddress, newPassword, newUsername, returnTo } from '../../http/fields.ts'
import { type Part, part } from '../../http/http-context.ts'
import { registrationsPerNetwork } from '../../http/limits.ts'
import { type Page, page } from '../../http/page.ts'
import { UserBody } from '../../http/shapes.ts'
import { signedIn } from '../../http/signed-in.ts'
import type { Settings } from '../../settings/options.ts'
import { refuseIfClosed, registeredEvent } from '../../users/create-user.ts'
import { register } from './register.ts'
import en from './texts.en.json' with { type: 'json' }
import zhTW from './texts.zh-TW.json' with { type: 'json' }

const isOpen = (settings: Settings) => settings.registration === 'open'

const registerPage: Page = page('registration/register', ({ core }) => {
  refuseIfClosed(core)
  const { passwords, email } = core.settings
  return { minLength: passwords.minLength, asksForEmail: email !== 'off' }
})

const registerAction: Action = action({
  at: 'page',
  guard: 'guest',
  input: ({ passwords, email }) => {
    const input = z.object({ username: newUsername, password: newPassword(passwords.minLength), displayName, returnTo })
    return email === 'off' ? input : input.extend({ email: emailAddress.optional() })
  },
  limit: ({ registrationsPerHour }) => registrationsPerNetwork(registrationsPerHour),
  page: registerPage,
  api: {
    name: 'register',
    summary: 'Register',
    description:
      'Creates a user and logs them in: the response sets the session cookie. Every fault of the input is reported at once. An address, where the site takes one, is only claimed until it is proven by a mail: the answer is the same whoever has it.',
    status: 201,
    body: UserBody,
    refuses: ['username_taken', 'registration_closed', 'refused'],
  },
  run: register,
  answer: (result, context, input) => ({
    ...signedIn(result, context, input),
    notice: hasAddress(input) ? 'registered_email' : 'registered',
  }),
})

function hasAddress(input: object): boolean {
  return 'email' in input && typeof input.email === 'string' && input.email.trim() !== ''
}

const loginLink: Part = part('registration/login-link', ({ core }) => (isOpen(core.settings) ? {} : undefined))

export const registration = feature({
  name: 'registration',
  paths: { page: '/register' },
  texts: { en, 'zh-TW': zhTW },
  actions: [registerAction],
  audit: [registeredEvent],
  on: { menu: [{ at: 'page', text: 'menu', who: 'guest', when: isOpen }], login: [loginLink] },
})
