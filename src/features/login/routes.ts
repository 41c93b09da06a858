// `/login` and `/logout`.
import { z } from 'zod'
import { signOut } from '../../core/sign-out.ts'
import { toJson, toUser } from '../../domain/user.ts'
import { action } from '../../http/action.ts'
import { flag, identifier, nothing, passwordText, returnTo } from '../../http/fields.ts'
import { perAccount, perNetwork, proofsPerUser } from '../../http/limits.ts'
import { page } from '../../http/page.ts'
import { localPath } from '../../http/return-to.ts'
import { UserBody } from '../../http/shapes.ts'
import { logIn } from './log-in.ts'

const remember = flag.default(false).meta({ description: 'Keeps the person logged in when the browser is closed.' })

const LoginInput = z.object({ username: identifier, password: passwordText, remember, returnTo })

const DAY_MS = 86_400_000

export const loginRoutes = action({
  path: '/login',
  guard: 'anybody',
  input: LoginInput,
  limits: [
    perNetwork('login', '20 per 10m'),
    ...proofsPerUser,
    // Logins that work are bounded too: each costs a hash and a session.
    perNetwork('logins', '1200 per 1h', 'keep'),
    perAccount('logins', '60 per 1h'),
  ],
  page: page(
    'login',
    (exchange) => ({
      registrationOpen: exchange.core.settings.registration === 'open',
      rememberDays: Math.round(exchange.core.settings.remember.absoluteMs / DAY_MS),
      returnTo: localPath(exchange.formValues.returnTo ?? exchange.query('returnTo')),
    }),
    { guestsOnly: true },
  ),
  run: logIn,
  api: {
    summary: 'Logs in. The answer sets the session cookie; an id from before is dead.',
    body: UserBody,
    refuses: ['invalid_credentials', 'refused'],
  },
  onRejected: (core, code, { ip }) => {
    core.events.emit('login', { outcome: code === 'overloaded' ? 'overloaded' : 'throttled', user: undefined, ip })
  },
  answer: ({ user }, { http }, input) => ({ body: { user: toJson(toUser(user)) }, to: localPath(input.returnTo) ?? http.home }),
})

export const logoutRoutes = action({
  path: '/logout',
  guard: 'anybody',
  input: nothing,
  page: page('logout', () => ({})),
  api: { summary: 'Logs out: ends the session and clears its cookie. Works in any state, as often as asked.' },
  run: (core, _input, caller) => signOut(core, caller),
  answer: (_result, { http }) => ({ to: http.url('/login'), notice: 'logged_out' }),
})
