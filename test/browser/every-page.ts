// Takes somebody through every page in every state, anonymous and logged in, and stops at each.
import type { Site } from '../support/site.ts'
import { GOOD_PASSWORD } from '../support/visitor.ts'
import type { Person } from './person.ts'

export interface Names {
  readonly username: string
  readonly displayName: string
}

/** `look` is called at each stop with its name. The person needs no account before and has a fresh one afterwards. */
export async function visitEveryPage(
  site: Site,
  person: Person,
  names: Names,
  look: (stop: string) => Promise<void>,
): Promise<void> {
  const { page } = person
  const open = async (path: string, stop = path) => {
    await person.open(path)
    await look(stop)
  }
  for (const path of ['/', '/login', '/register', '/logout', '/nothing']) await open(path)
  await open('/diary', 'login with a place to go to')
  await open('/account/sessions/end-others', 'method not allowed')
  await open('/%', 'malformed')

  await person.open('/register')
  await page.getByLabel('Username').fill('-a')
  await person.displayName.fill('x'.repeat(65))
  await person.password.fill('short')
  await person.press('Create account')
  await look('register with errors')

  await person.open('/login')
  await person.fillLogin(names.username, 'not the password')
  await look('login refused')

  await person.become(site, names.username, names.displayName)
  await logInElsewhere(site, names.username)
  const member = ['/', '/profile', '/account/security', '/reauthenticate', '/logout', '/nothing', '/profile?notice=profile_saved']
  for (const path of member) await open(path, `${path} logged in`)
  await open('/admins', 'forbidden')

  await person.open('/reauthenticate')
  await person.password.fill('not the password')
  await person.press('Go on')
  await look('reauthenticate refused')

  await open('/account/password', 'change of the password')
  await page.getByLabel('Current password', { exact: true }).fill('not the password')
  await page.getByLabel('New password', { exact: true }).fill('harbour violet kettle')
  await person.press('Change the password')
  await look('change of the password refused')

  await person.open('/profile')
  await person.displayName.fill('y'.repeat(65))
  await person.press('Save')
  await look('profile with an error')

  await person.open('/account/security')
  await person.press('End the other 2 sessions')
  await look('security, alone')
}

/** So that the security page has something to list. */
async function logInElsewhere(site: Site, username: string): Promise<void> {
  const userAgent =
    'Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 Version/18.5 Mobile/15E148 Safari/604.1'
  for (const remember of [true, false]) {
    const login = { username, password: GOOD_PASSWORD, remember }
    await site.visitor().api('/login', login, { headers: { 'user-agent': userAgent } })
  }
}
