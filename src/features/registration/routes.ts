// `/register`: a visitor makes an account.
import { z } from 'zod'
import { toJson, toUser } from '../../domain/user.ts'
import { action } from '../../http/action.ts'
import { displayName, newPassword, newUsername, returnTo } from '../../http/fields.ts'
import { perNetwork } from '../../http/limits.ts'
import { page } from '../../http/page.ts'
import { localPath } from '../../http/return-to.ts'
import { UserBody } from '../../http/shapes.ts'
import { refuseIfClosed } from '../../users/create-user.ts'
import { register } from './register.ts'

const RegisterInput = z.object({ username: newUsername, password: newPassword, displayName, returnTo })

export const registrationRoutes = action({
  path: '/register',
  guard: 'anybody',
  input: RegisterInput,
  // Accounts are cheap for a machine and dear for a site.
  limits: [perNetwork('registration', '30 per 1h', 'keep')],
  page: page(
    'register',
    (exchange) => {
      refuseIfClosed(exchange.core)
      return {
        minLength: exchange.core.settings.passwords.minLength,
        returnTo: localPath(exchange.formValues.returnTo ?? exchange.query('returnTo')),
      }
    },
    { guestsOnly: true },
  ),
  api: {
    summary: 'Makes an account and logs in. The answer sets the session cookie.',
    status: 201,
    body: UserBody,
    refuses: ['username_taken', 'registration_closed', 'refused'],
  },
  run: register,
  answer: ({ user }, { http }, input) => ({
    body: { user: toJson(toUser(user)) },
    to: localPath(input.returnTo) ?? http.home,
    notice: 'registered',
  }),
})
