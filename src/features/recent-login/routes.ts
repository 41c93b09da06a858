// `/reauthenticate`: the password once more, before something that needs a recent login.
import { z } from 'zod'
import { action } from '../../http/action.ts'
import { passwordText, returnTo } from '../../http/fields.ts'
import { perNetwork } from '../../http/limits.ts'
import { page } from '../../http/page.ts'
import { localPath } from '../../http/return-to.ts'
import { reauthenticate } from './reauthenticate.ts'

export const reauthenticationRoutes = action({
  path: '/reauthenticate',
  guard: 'member',
  input: z.object({ password: passwordText, returnTo }),
  limits: [perNetwork('login', '20 per 10m')],
  page: page(
    'reauthenticate',
    (exchange) => ({ returnTo: localPath(exchange.formValues.returnTo ?? exchange.query('returnTo')) }),
    {
      wrongCredentials: 'error.invalid_credentials.reauthenticate',
    },
  ),
  api: {
    summary: 'Confirms the password, for what needs a recent login. The session gets a new id.',
    refuses: ['invalid_credentials'],
  },
  run: reauthenticate,
  answer: (_result, { http }, input) => ({ to: localPath(input.returnTo) ?? http.home }),
})
