// What an operator does with accounts: close and reopen, rename, look at and end sessions.
import { afterAll, beforeAll, expect, test } from 'vitest'
import { inDatabase } from '../support/database-inspector.ts'
import { openSite, type Site } from '../support/site.ts'
import { GOOD_PASSWORD } from '../support/visitor.ts'

let site: Site

beforeAll(async () => {
  site = await openSite()
})

afterAll(() => site.close())

test('D-24 closing an account ends its sessions at once, refuses its logins like a wrong password, and can be taken back', async () => {
  const visitor = site.visitor()
  await visitor.register('anna')
  await site.membership.users.setStatus('ANNA', 'suspended')
  expect((await visitor.api('/profile')).status).toBe(401)
  const refused = await visitor.logIn('anna')
  expect([refused.status, refused.json().code]).toEqual([401, 'invalid_credentials'])
  await site.membership.users.setStatus('anna', 'active')
  expect((await visitor.api('/profile')).status).toBe(401)
  expect((await visitor.logIn('anna')).status).toBe(200)
})

test('F-23 of many logins racing with the closing of the account, no session is alive after the answer', async () => {
  const { users } = site.membership
  await users.create({ username: 'racer', password: GOOD_PASSWORD })
  const visitors = Array.from({ length: 100 }, () => site.visitor())
  const logins = visitors.map((visitor) => visitor.logIn('racer'))
  await new Promise((resolve) => setImmediate(resolve))
  await users.setStatus('racer', 'suspended')
  await Promise.all(logins)
  const alive = await Promise.all(visitors.map(async (visitor) => (await visitor.api('/profile')).status))
  expect(new Set(alive)).toEqual(new Set([401]))
})

test('a renamed account keeps its sessions and its password; the old name is free', async () => {
  const { users } = site.membership
  const visitor = site.visitor()
  await visitor.register('maiden')
  await visitor.register('other')
  await visitor.logIn('maiden')
  const renamed = await users.rename('maiden', 'Married')
  expect(renamed.username).toBe('Married')
  expect((await visitor.api('/profile')).json()).toMatchObject({ user: { username: 'Married' } })
  expect((await site.visitor().logIn('married')).status).toBe(200)
  expect((await site.visitor().logIn('maiden')).status).toBe(401)
  await expect(users.rename('married', 'OTHER')).rejects.toMatchObject({ code: 'username_taken' })
  await expect(users.rename('married', '-')).rejects.toMatchObject({ code: 'invalid_input' })
  expect((await users.rename('married', 'MARRIED')).username).toBe('MARRIED')
  expect((await site.visitor().register('maiden')).status).toBe(201)
})

test('D-27 an operator sees an account and its sessions, and ends one or all', async () => {
  const { users } = site.membership
  const [first, second, third] = [site.visitor(), site.visitor(), site.visitor()]
  await first.register('sophie')
  await second.logIn('sophie')
  await third.logIn('sophie', GOOD_PASSWORD, { remember: true })
  expect(await users.show('sophie')).toMatchObject({ user: { username: 'sophie' }, status: 'active', sessions: 3 })
  const sessions = await users.sessions('sophie')
  const kept = sessions.find(({ remembered }) => remembered)
  expect(sessions).toHaveLength(3)
  expect(await users.endSessions('sophie', { id: kept?.id ?? '' })).toBe(1)
  expect((await third.api('/profile')).status).toBe(401)
  expect((await first.api('/profile')).status).toBe(200)
  await expect(users.endSessions('sophie', { id: kept?.id ?? '' })).rejects.toMatchObject({ code: 'not_found' })
  expect(await users.endSessions('sophie')).toBe(2)
  expect((await first.api('/profile')).status).toBe(401)
})

test('an address whose mails came back is marked, whatever the case of the name; without an address nothing is', async () => {
  const { users } = site.membership
  const { id } = await users.create({ username: 'bouncer' })
  const marked = async () => (await site.core.db.findUser(id))?.isUndeliverable
  await users.markUndeliverable('bouncer')
  expect(await marked()).toBe(false)
  await inDatabase(site, "UPDATE guildhall_users SET email = 'b@example.org', email_key = 'b@example.org' WHERE id = ?", id)
  expect(await users.markUndeliverable('BOUNCER')).toMatchObject({ username: 'bouncer' })
  expect(await marked()).toBe(true)
})

test('a name that nobody has is said to be that', async () => {
  const { users } = site.membership
  for (const ask of [
    () => users.markUndeliverable('nobody'),
    () => users.show('nobody'),
    () => users.sessions('nobody'),
    () => users.setStatus('nobody', 'suspended'),
    () => users.rename('nobody', 'some'),
  ]) {
    await expect(ask()).rejects.toMatchObject({ code: 'not_found' })
  }
})

test('D-24 an account that is closed while its password is hashed is refused like one that was closed before', async () => {
  const { users } = site.membership
  await users.create({ username: 'closing', password: GOOD_PASSWORD })
  const { verify } = site.core.passwords
  const visitor = site.visitor()
  site.core.passwords.verify = async (stored, password) => {
    const matches = await verify(stored, password)
    // After the account was read and before its session is made.
    await users.setStatus('closing', 'suspended')
    return matches
  }
  const refused = await visitor.logIn('closing')
  site.core.passwords.verify = verify
  expect([refused.status, refused.json().code, refused.setCookies]).toEqual([401, 'invalid_credentials', []])
  await users.setStatus('closing', 'active')
  expect(await users.sessions('closing')).toEqual([])
})

test('a user without a password has none to guess, and logs in where the application says who they are', async () => {
  const open = await openSite({
    routes: (app, { membership }) =>
      app.post('/sso', async (req, res) => {
        const user = await membership.users.find('federated')
        if (user) await req.login(user)
        res.sendStatus(204)
      }),
  })
  const { users } = open.membership
  await users.create({ username: 'federated' })
  expect((await users.show('federated')).passwordChangedAt).toBeUndefined()
  const visitor = open.visitor()
  for (const password of [GOOD_PASSWORD, 'undefined', 'null']) {
    expect((await visitor.logIn('federated', password)).status).toBe(401)
  }
  await visitor.send('/sso', { method: 'POST', headers: { 'sec-fetch-site': 'same-origin' } })
  expect((await visitor.api('/profile')).status).toBe(200)
  expect((await visitor.api('/reauthenticate', { password: GOOD_PASSWORD })).status).toBe(401)
  const page = (await visitor.get('/account/security')).text
  expect([page.includes('id="sessions"'), page.includes('id="ways"')]).toEqual([true, false])
  await open.close()
})

test('registration that is closed is closed to visitors alone, and so is the hook', async () => {
  const asked: string[] = []
  const closed = await openSite({
    registration: 'closed',
    hooks: { beforeRegister: ({ username }) => void asked.push(username) },
  })
  expect((await closed.visitor().register('visitor')).json()).toMatchObject({ code: 'registration_closed' })
  expect(await closed.membership.users.create({ username: 'invited', password: GOOD_PASSWORD })).toMatchObject({
    username: 'invited',
  })
  expect(asked).toEqual([])
  await closed.close()
})
