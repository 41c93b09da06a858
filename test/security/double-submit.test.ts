// Every form of ours, sent twice in a row and ten times at once: it has one effect.
import { describe, expect, test } from 'vitest'
import { countRows, inDatabase, siteOfTest } from '../support/artifacts.ts'
import type { Site } from '../support/site.ts'
import { type Answer, GOOD_PASSWORD, type Visitor } from '../support/visitor.ts'

const NEW_PASSWORD = 'harbour violet kettle'
const AT_ONCE = 10

interface Form {
  readonly by: 'guest' | 'member'
  readonly fields?: Readonly<Record<string, string>>
  /** In the audit trail exactly once, however often the form is sent. */
  readonly once?: readonly string[]
  /** In it for each request that asked for it and was let: an entry is no effect. */
  readonly each?: string
  readonly effect?: Partial<Effect>
  /** Sent before the first answer, the requests share no cookie. */
  readonly atOnce?: Partial<Effect>
}

interface Effect {
  readonly users: number
  /** Live sessions of anna, who had three browsers before. */
  readonly sessions: number
  readonly displayName: string
  readonly password: string
  /** Whether the browser that sent the form is logged in afterwards. */
  readonly isLoggedIn: boolean
}

const NONE: Effect = { users: 1, sessions: 3, displayName: 'anna', password: GOOD_PASSWORD, isLoggedIn: true }

const FORMS: Readonly<Record<string, Form>> = {
  '/register': {
    by: 'guest',
    fields: { username: 'berta', password: GOOD_PASSWORD },
    once: ['registered', 'login'],
    effect: { users: 2 },
  },
  '/login': {
    by: 'guest',
    fields: { username: 'anna', password: GOOD_PASSWORD },
    each: 'login',
    effect: { sessions: 4 },
    // The browser keeps the cookie of one; nobody has those of the others, which end by their idle time.
    atOnce: { sessions: 3 + AT_ONCE },
  },
  '/logout': { by: 'member', each: 'logout', effect: { sessions: 2, isLoggedIn: false } },
  '/language': { by: 'member', fields: { locale: 'zh-TW' } },
  '/profile': {
    by: 'member',
    fields: { displayName: 'Anna Lee' },
    each: 'profile_changed',
    effect: { displayName: 'Anna Lee' },
  },
  // The form that its link opens, test/security/password-reset.test.ts sends a hundred times at once.
  '/forgot-password': { by: 'guest', fields: { identifier: 'anna' }, effect: { isLoggedIn: false } },
  // Its other forms the link alone opens: test/features/email-verification.test.ts sends them a hundred times at once.
  '/verify-email': { by: 'member', fields: { code: 'BCDF-GHJK' } },
  '/verify-email/resend': { by: 'member' },
  '/reauthenticate': { by: 'member', fields: { password: GOOD_PASSWORD }, each: 'recent_login' },
  '/account/password': {
    by: 'member',
    fields: { currentPassword: GOOD_PASSWORD, newPassword: NEW_PASSWORD },
    once: ['password_changed'],
    effect: { sessions: 1, password: NEW_PASSWORD },
  },
  '/account/sessions/:id/end': { by: 'member', once: ['session_ended'], effect: { sessions: 2 } },
  '/account/sessions/end-others': { by: 'member', each: 'other_sessions_ended', effect: { sessions: 1 } },
}

interface Scene {
  readonly site: Site
  readonly guest: Visitor
  readonly member: Visitor
}

async function openScene(): Promise<Scene> {
  const site = await siteOfTest()
  const browsers = [site.visitor(), site.visitor(), site.visitor()]
  await site.membership.users.create({ username: 'anna', password: GOOD_PASSWORD, email: 'anna@mail.example' })
  for (const browser of browsers) await browser.logIn('anna')
  return { site, guest: site.visitor(), member: browsers[0] ?? site.visitor() }
}

/** The addresses of the forms on every page, as this visitor sees it. */
async function formsSeenBy(visitor: Visitor, { paths }: Site): Promise<readonly string[]> {
  const pages = paths.filter((path) => !path.startsWith('/api/') && !path.includes(':'))
  const actions: string[] = []
  for (const path of pages) {
    const { text } = await visitor.get(path)
    actions.push(...[...text.matchAll(/<form\b[^>]*\baction="([^"]+)"/g)].map(([, action = '']) => action))
  }
  return actions
}

test('F-34 every form of every page is looked at here', async () => {
  const { site, guest, member } = await openScene()
  const actions = [...(await formsSeenBy(guest, site)), ...(await formsSeenBy(member, site))]
  expect([...new Set(actions.map(nameOf))].toSorted()).toEqual(Object.keys(FORMS).toSorted())
})

describe.each(Object.entries(FORMS))('F-34 the form of %s', (path, form) => {
  const { by, fields = {}, once = [], each, effect, atOnce } = form

  test.each([
    { how: 'twice in a row', isAtOnce: false },
    { how: 'ten times at once', isAtOnce: true },
  ])('has one effect, sent $how', async ({ isAtOnce }) => {
    const { site, ...browsers } = await openScene()
    const sender = browsers[by]
    const actions = await formsSeenBy(sender, site)
    const action = actions.find((one) => nameOf(one) === path) ?? ''
    const before = await actsIn(site)
    const send = () => sender.form(action, fields)
    const answers = isAtOnce ? await sendTogether(site, send) : [await send(), await send()]
    expect(answers.filter(({ status }) => status >= 500)).toEqual([])
    const acts = (await actsIn(site)).slice(before.length)
    expect(await effectOf(site, sender)).toEqual({ ...NONE, ...effect, ...(isAtOnce && atOnce) })
    expect(acts.filter((act) => act !== each).toSorted()).toEqual(once.toSorted())
  })
})

/** None continues before the passwords of all were hashed. */
async function sendTogether({ core }: Site, send: () => Promise<Answer>): Promise<readonly Answer[]> {
  const { hash, verify } = core.passwords
  const all = Promise.withResolvers<void>()
  let arrived = 0
  const meet = async <T>(result: T): Promise<T> => {
    if (++arrived === AT_ONCE) all.resolve()
    await all.promise
    return result
  }
  core.passwords.hash = async (...asked) => meet(await hash(...asked))
  core.passwords.verify = async (...asked) => meet(await verify(...asked))
  const answers = await Promise.all(Array.from({ length: AT_ONCE }, send))
  Object.assign(core.passwords, { hash, verify })
  return answers
}

/** With `:id` in the place of an id. */
function nameOf(action: string): string {
  return action.replace(/\/sessions\/[^/]+\/end$/, '/sessions/:id/end')
}

async function actsIn(site: Site): Promise<readonly string[]> {
  const rows = await inDatabase(site, "SELECT event FROM guildhall_audit WHERE outcome = 'success' ORDER BY at, id")
  return rows.map(({ event }) => String(event))
}

async function effectOf(site: Site, sender: Visitor): Promise<Effect> {
  const { users } = site.membership
  const { displayName } = (await users.show('anna')).user
  return {
    users: await countRows(site, 'users'),
    sessions: (await users.sessions('anna')).length,
    displayName,
    isLoggedIn: (await sender.api('/profile')).status === 200,
    password: (await site.visitor().logIn('anna', NEW_PASSWORD)).status === 200 ? NEW_PASSWORD : GOOD_PASSWORD,
  }
}
