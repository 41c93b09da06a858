// What people may be called: typed names, invisible ones, and the ones that are the site's own.
import { afterAll, beforeAll, expect, test } from 'vitest'
import { inDatabase } from '../support/database-inspector.ts'
import { type Member, memberOf } from '../support/members.ts'
import { openSite, type Site } from '../support/site.ts'
import { GOOD_PASSWORD } from '../support/visitor.ts'

let site: Site
let molly: Member

beforeAll(async () => {
  site = await openSite({ siteName: 'Harbour Society' })
  molly = await memberOf(site, 'molly')
})

afterAll(() => site.close())

test.each([
  ['with space around it', ' \tAnnabel\n', 'Annabel'],
  ['in full-width letters', 'Ｂｒｅｎｄａ＿１', 'Brenda_1'],
  ['with a zero-width space that came along from a document', '\u200bCl\u00adara\ufeff', 'Clara'],
])('E-03 somebody who writes the username %s gets the name that login takes it for', async (_how, typed, username) => {
  const visitor = site.visitor()
  const registered = await visitor.form('/register', { username: typed, password: GOOD_PASSWORD })
  expect([registered.status, registered.location]).toEqual([303, '/profile?notice=registered'])
  expect((await visitor.api('/profile')).json()).toMatchObject({ user: { username, displayName: username } })
  for (const again of [typed, username]) expect((await site.visitor().logIn(again)).status).toBe(200)
  expect((await site.visitor().register(typed)).status).toBe(409)
})

test.each([44, 300, 1500])('somebody who writes a name of %i letters is told how long a name may be', async (length) => {
  const form = { username: 'a'.repeat(length), displayName: 'b'.repeat(length + 40), password: GOOD_PASSWORD }
  const refused = await site.visitor().api('/register', form)
  expect(refused.json()).toMatchObject({
    status: 422,
    errors: [
      { field: 'username', code: 'too_long', message: 'Use at most 32 characters.' },
      { field: 'displayName', code: 'too_long', message: 'Use at most 64 characters.' },
    ],
  })
  const page = (await site.visitor().form('/register', form)).text
  expect(page).toContain('Use at most 32 characters.')
  expect(page).toContain(`value="${form.username}"`)
})

test.each([
  ['zero-width spaces', '\u200b\u200b\u2060'],
  ['Hangul fillers', '\u3164\uffa0 \u115f'],
  ['blank braille patterns and ideographic spaces', '\u2800\u3000\u2800'],
  ['soft hyphens and variation selectors', '\u00ad\ufe0f\u034f'],
  ['accents without a letter', '\u0301\u0302'],
])('somebody whose display name is made of %s is called by the username', async (_what, displayName) => {
  const visitor = site.visitor()
  await visitor.api('/register', { username: `unseen${unseen++}`, password: GOOD_PASSWORD, displayName })
  const { user } = (await visitor.api('/profile')).json<{ user: { username: string; displayName: string } }>()
  expect(user.displayName).toBe(user.username)
  await visitor.api('/profile', { displayName: 'Seen' })
  expect((await visitor.api('/profile', { displayName })).json()).toMatchObject({ user: { displayName: user.username } })
})
let unseen = 0

const OF_THE_SITE = [
  'Administrator',
  'admin',
  'Support Team',
  'АDMIN',
  'Аdmіnіstrаtоr',
  'ΑDMIΝ',
  'Ádmin',
  'adm1n',
  'adrnin',
  'ｓｕｐｐｏｒｔ',
  'S u p p o r t',
  'mod\u200berator',
  '★ Admin ★',
  '管理員',
  'Harbour Society',
  'ＨＡＲＢＯＵＲ-society',
  'Harbour Society Team',
  'The Admin',
  'Admin of this site',
  'ꓮꓓꓟꓲꓠ',
  'ᎪᎠᎷᏆN',
  'Øwner',
  'ʜelp',
]

test.each(OF_THE_SITE)('somebody who wants to be shown as %s is not, whichever way they ask', async (displayName) => {
  const reserved = { code: 'invalid_input', errors: [{ field: 'displayName', code: 'reserved' }] }
  const form = { username: 'impostor', password: GOOD_PASSWORD, displayName }
  expect((await site.visitor().api('/register', form)).json()).toMatchObject(reserved)
  expect((await molly.visitor.api('/profile', { displayName })).json()).toMatchObject(reserved)
  const { users } = site.membership
  await expect(users.create({ username: 'impostor', displayName })).rejects.toMatchObject(reserved)
  await expect(users.setDisplayName('molly', displayName)).rejects.toMatchObject(reserved)
})

test.each(['harbour-society', 'HarbourSociety', 'harbour.society.team', 'Adm1n', 'admin-istrator', 'support_team'])(
  'somebody who wants the username %s, which is the site itself, must choose another',
  async (username) => {
    const reserved = { code: 'invalid_input', errors: [{ field: 'username', code: 'reserved' }] }
    expect((await site.visitor().register(username)).json()).toMatchObject(reserved)
    await expect(site.membership.users.rename('molly', username)).rejects.toMatchObject(reserved)
  },
)

test.each(['Frank Owner', 'Adminah', 'Ørsted', 'Мария Админская', '李管理', '☺', '...', 'Molly of Harbour Society'])(
  'somebody who is called %s may be',
  async (displayName) => {
    expect((await molly.visitor.api('/profile', { displayName })).json()).toMatchObject({ user: { displayName } })
  },
)

test('somebody who never chose a display name is shown by the new username after a rename, and by the chosen one if they did', async () => {
  const { users } = site.membership
  const [plain, called] = [site.visitor(), site.visitor()]
  await plain.register('Maiden')
  await called.api('/register', { username: 'Patient', displayName: 'Pat', password: GOOD_PASSWORD })
  expect(await users.rename('maiden', 'Married')).toMatchObject({ username: 'Married', displayName: 'Married' })
  expect((await plain.api('/profile')).json()).toMatchObject({ user: { displayName: 'Married' } })
  expect(await users.rename('patient', 'Patience')).toMatchObject({ displayName: 'Pat' })
  expect((await called.api('/profile')).json()).toMatchObject({ user: { username: 'Patience', displayName: 'Pat' } })
  await called.api('/profile', { displayName: '' })
  await users.rename('patience', 'Penny')
  expect((await called.api('/profile')).json()).toMatchObject({ user: { displayName: 'Penny' } })
})

test('somebody whose account is older than this rule, and holds the username as its display name, is renamed as a whole', async () => {
  const visitor = site.visitor()
  await visitor.register('veteran')
  await inDatabase(site, "UPDATE guildhall_users SET display_name = 'veteran' WHERE username = 'veteran'")
  await site.membership.users.rename('veteran', 'Elder')
  expect((await visitor.api('/profile')).json()).toMatchObject({ user: { username: 'Elder', displayName: 'Elder' } })
})

test('an operator changes what a member is called, and the member reads of it in their activity', async () => {
  const { visitor } = await memberOf(site, 'shouty')
  await visitor.api('/profile', { displayName: 'SHOUTING AT YOU' })
  expect(await site.membership.users.setDisplayName('Shouty', ' Quiet ')).toMatchObject({ displayName: 'Quiet' })
  expect((await visitor.api('/profile')).json()).toMatchObject({ user: { displayName: 'Quiet' } })
  expect((await visitor.get('/account/security')).text).toMatch(
    /The display name was changed\s+<ul class="dots">\s+<li>by the people who run this site/,
  )
  expect(await site.membership.users.setDisplayName('shouty', '')).toMatchObject({ displayName: 'shouty' })
  await expect(site.membership.users.setDisplayName('nobody-here', 'x')).rejects.toMatchObject({ code: 'not_found' })
})

test('somebody whose display name became one of the site keeps it while they change their language', async () => {
  const { visitor } = await memberOf(site, 'early')
  await inDatabase(site, "UPDATE guildhall_users SET display_name = 'Team' WHERE username = 'early'")
  await site.membership.users.rename('early', 'bird')
  expect((await visitor.api('/profile', { displayName: 'Team', locale: 'zh-TW' })).status).toBe(200)
})
