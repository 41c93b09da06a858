// Who is in the login storm: ourselves, express-session with three password libraries, and better-auth.
import { type Measured, startApp, startServer } from './processes.ts'
import { API_LOGIN, BEHIND_PROXY, type Door, logIn, MEMBERS, register, registerAndLogIn } from './visitors.ts'

export interface InStorm {
  readonly name: string
  readonly door: Door
  readonly server: Measured
  /** Cookie headers of those who are logged in already. */
  readonly readers: readonly string[]
}

const READERS = 4
const REGISTER_AT_ONCE = 16

const rivals: readonly { readonly name: string; readonly app: string; readonly door: Door }[] = [
  { name: 'express-session + bcrypt 6 (native, cost 10)', app: 'storm: bcrypt', door: API_LOGIN },
  { name: 'express-session + @node-rs/argon2 (19 MiB, t=2)', app: 'storm: @node-rs/argon2', door: API_LOGIN },
  { name: 'express-session + bcryptjs 3 (cost 10)', app: 'storm: bcryptjs', door: API_LOGIN },
  { name: 'better-auth 1.7 (scrypt)', app: 'storm: better-auth', door: { path: '/api/auth/sign-in/email', by: 'email' } },
]

/** `guildhall serve`: everybody who will log in has an account, and the readers are logged in. */
export async function openOwn(settings: Readonly<Record<string, string>> = {}): Promise<InStorm> {
  const server = await startServer({ settings: { ...BEHIND_PROXY, ...settings } })
  for (let at = 0; at < MEMBERS; at += REGISTER_AT_ONCE) {
    await Promise.all(Array.from({ length: REGISTER_AT_ONCE }, (_, next) => register(server.base, at + next)))
  }
  const readers: string[] = []
  for (let reader = 0; reader < READERS; reader++) readers.push(await registerAndLogIn(server.base, MEMBERS + reader))
  return { name: '`guildhall serve`', door: API_LOGIN, server, readers }
}

/** Applications that have their accounts from the start. */
export async function openRivals(): Promise<InStorm[]> {
  const opened: InStorm[] = []
  for (const { name, app, door } of rivals) {
    const server = await startApp(app)
    const readers: string[] = []
    for (let reader = 0; reader < READERS; reader++) readers.push(await logIn(server.base, door, reader))
    opened.push({ name, door, server, readers })
  }
  return opened
}
