// A member replaces the password: it needs the current one, and every other session ends.
import { afterAll, beforeAll, expect, test } from 'vitest'
import { translator } from '../../src/i18n/translate.ts'
import { testMailbox } from '../../src/testing/index.ts'
import { inDatabase } from '../support/database-inspector.ts'
import { idOf, memberOf, statusWith } from '../support/members.ts'
import { openSite, type Site } from '../support/site.ts'
import { GOOD_PASSWORD, type Visitor } from '../support/visitor.ts'

const OTHER = 'harbour violet kettle'
const change = (visitor: Visitor, currentPassword: string, newPassword: string) =>
  visitor.api('/account/password', { currentPassword, newPassword })

let site: Site

beforeAll(async () => {
  site = await openSite({
    routes: (app, { membership }) => {
      app.get('/cart/:item', (req, res) => {
        Object.assign(req.session, { [req.params.item]: 1 })
        res.json(req.session)
      })
      app.get('/come-in/:name', async (req, res) => {
        const user = await membership.users.find(req.params.name)
        if (user) await req.login(user)
        res.send('in')
      })
    },
  })
})

afterAll(() => site.close())

test('D-03 D-25 a change ends every other session, and this one goes on under a new id with its data', async () => {
  const { visitor, id } = await memberOf(site, 'mover')
  const others = [site.visitor(), site.visitor()]
  for (const other of others) await other.logIn('mover', GOOD_PASSWORD, { remember: true })
  await visitor.get('/cart/apples')
  const reported: string[] = []
  site.membership.on('password_changed', ({ user }) => void reported.push(user.username))
  const changed = await change(visitor, GOOD_PASSWORD, OTHER)
  expect([changed.status, changed.text]).toEqual([204, ''])
  const renewed = await idOf(visitor)
  expect([renewed === id, await statusWith(site, renewed), await statusWith(site, id)]).toEqual([false, 200, 401])
  for (const other of others) expect((await other.api('/profile')).status).toBe(401)
  expect((await visitor.get('/cart/pears')).json()).toMatchObject({ apples: 1, pears: 1 })
  expect(await site.membership.users.sessions('mover')).toHaveLength(1)
  expect((await site.visitor().logIn('mover')).status).toBe(401)
  expect((await site.visitor().logIn('mover', OTHER)).status).toBe(200)
  expect(reported).toEqual(['mover'])
})

test('A-12 without the current password, or with a wrong one, nothing changes and nobody is logged out', async () => {
  const { visitor, id } = await memberOf(site, 'robbed')
  for (const [fields, status, code] of [
    [{ newPassword: OTHER }, 422, 'invalid_input'],
    [{ currentPassword: '', newPassword: OTHER }, 422, 'invalid_input'],
    [{ currentPassword: null, newPassword: OTHER }, 422, 'invalid_input'],
    [{ currentPassword: 'not the password', newPassword: OTHER }, 401, 'invalid_credentials'],
  ] as const) {
    const refused = await visitor.api('/account/password', fields)
    expect([refused.status, refused.json().code]).toEqual([status, code])
  }
  expect(await statusWith(site, id)).toBe(200)
  expect((await site.visitor().logIn('robbed')).status).toBe(200)
  expect((await change(site.visitor(), GOOD_PASSWORD, OTHER)).status).toBe(401)
})

test('A-05 A-09 A-11 a new password keeps the rules of the registration, and is another one', async () => {
  const { visitor } = await memberOf(site, 'picky-person')
  const { done } = site.core.passwords.stats
  for (const [newPassword, code] of [
    ['short', 'too_short'],
    ['password123', 'too_common'],
    ['picky-person1', 'too_personal'],
    [GOOD_PASSWORD, 'unchanged'],
    ['x'.repeat(257), 'too_long'],
  ] as const) {
    const refused = await change(visitor, GOOD_PASSWORD, newPassword)
    expect(refused.json()).toMatchObject({ code: 'invalid_input', errors: [{ field: 'newPassword', code }] })
  }
  expect((await change(visitor, 'x'.repeat(10_000), OTHER)).status).toBe(422)
  // Refused before any hash.
  expect(site.core.passwords.stats.done).toBe(done)
})

test('A-16 a password that comes back later has another hash', async () => {
  const { visitor } = await memberOf(site, 'returner')
  const hashes = async () =>
    (
      await inDatabase(
        site,
        `SELECT data FROM guildhall_credentials WHERE user_id = (SELECT id FROM guildhall_users WHERE username = 'returner')`,
      )
    ).map(({ data }) => data)
  const before = await hashes()
  await change(visitor, GOOD_PASSWORD, OTHER)
  expect((await change(visitor, OTHER, GOOD_PASSWORD)).status).toBe(204)
  const after = await hashes()
  expect([after.length, after[0] === before[0]]).toEqual([1, false])
})

test('A-21 a member without a password reads that there is none, and cannot set one by any guess', async () => {
  await site.membership.users.create({ username: 'no-password' })
  const visitor = site.visitor()
  await visitor.get('/come-in/no-password')
  const page = await visitor.get('/account/password')
  expect(page.text).toContain('Your account has no password')
  expect(page.text).not.toContain('name="newPassword"')
  const { done } = site.core.passwords.stats
  expect((await change(visitor, ' ', OTHER)).status).toBe(401)
  expect(site.core.passwords.stats.done - done).toBe(1)
  expect((await site.visitor().logIn('no-password', OTHER)).status).toBe(401)
})

test('D-33 a change needs the current password, however old the login is', async () => {
  const { visitor } = await memberOf(site, 'slow-person')
  // Longer ago than a recent login, and the session still lives.
  site.clock.forward('14m')
  expect((await change(visitor, GOOD_PASSWORD, OTHER)).status).toBe(204)
})

test('C-01 D-24 another site cannot send the form, and a closed account changes nothing', async () => {
  const { visitor } = await memberOf(site, 'shut-out')
  const fields = { currentPassword: GOOD_PASSWORD, newPassword: OTHER }
  const crossSite = await visitor.form('/account/password', fields, { headers: { 'sec-fetch-site': 'cross-site' } })
  expect(crossSite.status).toBe(403)
  await site.membership.users.setStatus('shut-out', 'suspended')
  expect((await change(visitor, GOOD_PASSWORD, OTHER)).status).toBe(401)
  await site.membership.users.setStatus('shut-out', 'active')
  expect((await site.visitor().logIn('shut-out')).status).toBe(200)
})

test('F-22 of a hundred changes at once from one password one succeeds, and its password alone opens the account', {
  timeout: 120_000,
}, async () => {
  const { visitor } = await memberOf(site, 'torn')
  const visitors = [visitor, ...Array.from({ length: 9 }, () => site.visitor())]
  for (const one of visitors.slice(1)) await one.logIn('torn')
  const tries = Array.from({ length: 100 }, async (_, n) => {
    const newPassword = `${OTHER} ${n}`
    const { status, text } = await change(visitors[n % 10] ?? visitor, GOOD_PASSWORD, newPassword)
    return { status, newPassword, code: status === 204 ? '' : JSON.parse(text).code }
  })
  const answers = await Promise.all(tries)
  const won = answers.filter(({ status }) => status === 204)
  expect(won).toHaveLength(1)
  const others = new Set(answers.filter(({ status }) => status !== 204).map(({ status, code }) => `${status} ${code}`))
  for (const other of others) expect(['401 login_required', '401 invalid_credentials']).toContain(other)
  expect((await site.visitor().logIn('torn', won[0]?.newPassword)).status).toBe(200)
  const statuses = await Promise.all(visitors.map(async (one) => (await one.api('/profile')).status))
  expect(statuses.filter((status) => status === 200)).toHaveLength(1)
})

test('F-22 a change that another overtook while its password was hashed changes nothing', async () => {
  const { visitor } = await memberOf(site, 'overtaken')
  const owner = site.visitor()
  await owner.logIn('overtaken')
  const { passwords } = site.core
  const { hash } = passwords
  let isOvertaken = false
  Object.assign(passwords, {
    async hash(this: void, ...asked: Parameters<typeof hash>) {
      if (!isOvertaken) {
        isOvertaken = true
        expect((await change(owner, GOOD_PASSWORD, OTHER)).status).toBe(204)
      }
      return hash(...asked)
    },
  })
  const late = await change(visitor, GOOD_PASSWORD, 'what a thief would choose')
  Object.assign(passwords, { hash })
  expect([late.status, late.json().code]).toEqual([401, 'login_required'])
  expect((await site.visitor().logIn('overtaken', OTHER)).status).toBe(200)
})

test('F-04 a process that dies between the change and the new id leaves no session alive', async () => {
  const { visitor, id } = await memberOf(site, 'unlucky')
  const thief = site.visitor()
  await thief.logIn('unlucky')
  const { sessions } = site.core.db
  const [create, listByUser] = [sessions.create, sessions.listByUser]
  // Nothing reaches the store of the sessions any more once the transaction is done.
  const away = () => Promise.reject(new Error('gone'))
  Object.assign(sessions, { create: away, listByUser: away })
  const changed = await visitor.form('/account/password', { currentPassword: GOOD_PASSWORD, newPassword: OTHER })
  Object.assign(sessions, { create, listByUser })
  expect([changed.status, changed.location]).toEqual([303, '/login?notice=password_changed_log_in'])
  expect(await statusWith(site, id)).toBe(401)
  expect((await thief.api('/profile')).status).toBe(401)
  expect((await visitor.logIn('unlucky', OTHER)).status).toBe(200)
})

test('somebody who logs out while the password is hashed has a new password, and is logged out', async () => {
  const { visitor, id } = await memberOf(site, 'leaver')
  const elsewhere = site.visitor()
  await elsewhere.jar.setCookie(`guildhall=${id}`, site.base)
  const { passwords } = site.core
  const { hash } = passwords
  Object.assign(passwords, {
    async hash(this: void, ...asked: Parameters<typeof hash>) {
      await elsewhere.api('/logout', {})
      return hash(...asked)
    },
  })
  const changed = await visitor.form('/account/password', { currentPassword: GOOD_PASSWORD, newPassword: OTHER })
  Object.assign(passwords, { hash })
  expect(changed.location).toBe('/login?notice=password_changed_log_in')
  expect(await site.membership.users.sessions('leaver')).toEqual([])
  expect((await site.visitor().logIn('leaver', OTHER)).status).toBe(200)
})

test('a member finds the form on the security page, reads what is wrong, and reads there afterwards what happened', async () => {
  for (const [locale, words] of [
    ['en', ['That is not your current password', 'The password was changed', 'the current one was wrong']],
    ['zh-TW', ['這不是你目前的密碼', '變更密碼', '目前的密碼輸入錯誤']],
  ] as const) {
    const { visitor } = await memberOf(site, `reader-${locale}`)
    await visitor.form('/language', { locale })
    expect((await visitor.get('/account/security')).text).toContain('href="/account/password"')
    const send = (currentPassword: string) => visitor.form('/account/password', { currentPassword, newPassword: OTHER })
    const refused = await send('not the password')
    expect([refused.status, refused.text.includes(words[0])]).toEqual([401, true])
    for (const password of ['not the password', OTHER]) expect(refused.text).not.toContain(password)
    const changed = await send(GOOD_PASSWORD)
    expect([changed.status, changed.location]).toEqual([303, '/account/security?notice=password_changed'])
    const { text } = await visitor.get(changed.location ?? '')
    expect(text).toContain(locale === 'en' ? 'Your password is changed' : '密碼已經變更')
    for (const word of words.slice(1)) expect(text).toContain(word)
  }
  expect(translator('en')('field.unchanged')).toContain('Choose another')
})

test('B-07 a wrong current password counts as a login that failed, and a bad new one does not', async () => {
  const limited = await openSite({ rateLimit: true, trustProxy: 1 })
  const visitor = limited.visitor()
  await visitor.register('guessed-at')
  const from = (n: number, currentPassword: string, newPassword: string) =>
    visitor.api('/account/password', { currentPassword, newPassword }, { headers: { 'x-forwarded-for': `10.40.${n}.1` } })
  // More than the network may fail.
  for (let n = 0; n < 25; n++) expect((await from(0, GOOD_PASSWORD, 'short')).status).toBe(422)
  const statuses: number[] = []
  for (let n = 0; n < 6; n++) statuses.push((await from(n, 'wrong, all wrong', OTHER)).status)
  expect(statuses).toEqual([401, 401, 401, 401, 401, 429])
  const login = await limited
    .visitor()
    .api('/login', { username: 'guessed-at', password: GOOD_PASSWORD }, { headers: { 'x-forwarded-for': '10.40.9.1' } })
  expect(login.status).toBe(429)
  limited.clock.forward('5m')
  expect((await from(10, GOOD_PASSWORD, OTHER)).status).toBe(204)
  await limited.close()
})

test('a site that leaves the feature out has no page for it, and no link', async () => {
  const without = await openSite({ features: { password: false } })
  const visitor = without.visitor()
  await visitor.register('anna')
  expect((await visitor.get('/account/password')).status).toBe(404)
  expect((await visitor.get('/account/security')).text).not.toContain('/account/password')
  await without.close()
})

test('a member is told by mail that the password was changed, in their language, at the address they have proven', async () => {
  const mailbox = testMailbox()
  const mailed = await openSite({ mail: { mailer: mailbox, from: 'noreply@example.org' } })
  const visitor = mailed.visitor()
  await visitor.register('told')
  const address = async (verifiedAt: string) => {
    const sql = `UPDATE guildhall_users SET email = 'Told@example.org', email_key = 'told@example.org', email_verified_at = ${verifiedAt}`
    await inDatabase(mailed, sql)
  }
  await address('NULL')
  expect((await change(visitor, GOOD_PASSWORD, OTHER)).status).toBe(204)
  // One that is refused tells nobody anything.
  expect((await change(visitor, GOOD_PASSWORD, 'granite otter ferry')).status).toBe(401)
  await address('1')
  expect((await change(visitor, OTHER, GOOD_PASSWORD)).status).toBe(204)
  const mail = await mailbox.next('Told@example.org')
  expect(mail.subject).toContain('Your password was changed')
  expect(mail.text).toContain('told')
  // On a line of its own.
  expect(mail.text.split('\n')).toContainEqual(expect.stringMatching(/^http:\/\/localhost:\d+\/not-me\?token=[\w-]{43}$/))
  for (const secret of [OTHER, GOOD_PASSWORD]) expect(mail.text + mail.html).not.toContain(secret)
  await inDatabase(mailed, "UPDATE guildhall_users SET locale = 'zh-TW'")
  expect((await change(visitor, GOOD_PASSWORD, OTHER)).status).toBe(204)
  expect((await mailbox.next('Told@example.org')).subject).toContain('密碼')
  expect(mailbox.mails).toHaveLength(2)
  await mailed.close()
})
