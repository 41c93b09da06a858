// A member logs in: by form and by JSON, redirected to the page before, remembered or not.
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { inDatabase } from '../support/database-inspector.ts'
import { openSite, type Site } from '../support/site.ts'
import { GOOD_PASSWORD } from '../support/visitor.ts'

let site: Site

beforeAll(async () => {
  site = await openSite({
    routes: (app, { membership }) => {
      app.get('/diary', membership.requireLogin, (req, res) => {
        res.send(`Hello ${req.user?.username}`)
      })
    },
  })
})

afterAll(() => site.close())

test('a person who asks to be remembered gets a cookie that outlives the browser', async () => {
  const visitor = site.visitor()
  await visitor.register('rita')
  const kept = await visitor.logIn('rita', GOOD_PASSWORD, { remember: true })
  expect(kept.setCookies.join()).toContain(`Max-Age=${30 * 24 * 60 * 60}`)
  site.clock.forward('13d')
  expect((await visitor.api('/profile')).status).toBe(200)
})

test('a page for members leads to the login page and back', async () => {
  const visitor = site.visitor()
  await visitor.register('carla')
  await visitor.form('/logout', {})
  const asked = await visitor.get('/diary?page=2')
  expect([asked.status, asked.location]).toEqual([303, '/login?returnTo=%2Fdiary%3Fpage%3D2'])
  const page = await visitor.get(asked.location ?? '')
  expect(page.text).toContain('value="/diary?page=2"')
  const back = await visitor.form('/login', { username: 'carla', password: GOOD_PASSWORD, returnTo: '/diary?page=2' })
  expect([back.status, back.location]).toEqual([303, '/diary?page=2'])
  expect((await visitor.get('/diary?page=2')).text).toBe('Hello carla')
})

test('a wrong password shows the form again, the name kept, the password not', async () => {
  const visitor = site.visitor()
  await visitor.register('dora')
  const refused = await visitor.form('/login', { username: 'dora', password: 'not it, sorry' })
  expect(refused.status).toBe(401)
  expect(refused.text).toContain('value="dora"')
  expect(refused.text).not.toContain('not it, sorry')
  expect(refused.text).toContain('role="alert"')
})

test('somebody who is logged in is sent on from the login and registration pages', async () => {
  const visitor = site.visitor()
  await visitor.register('edith')
  expect((await visitor.get('/login')).location).toBe('/profile')
  expect((await visitor.get('/register?returnTo=/diary')).location).toBe('/diary')
})

test('somebody who is suspended while their password is judged is refused, and the audit trail and the listeners get the reason', async () => {
  await site.visitor().register('suzie')
  const { passwords, events } = site.core
  const outcomes: string[] = []
  events.on('login', ({ outcome, user }) => user?.username === 'suzie' && outcomes.push(outcome))
  const verify = passwords.verify.bind(passwords)
  const judged = vi.spyOn(passwords, 'verify').mockImplementation(async (...asked) => {
    await site.membership.users.setStatus('suzie', 'suspended')
    return verify(...asked)
  })
  const refused = await site.visitor().logIn('suzie')
  judged.mockRestore()
  expect([refused.status, refused.setCookies]).toEqual([401, []])
  expect(outcomes).toEqual(['wrong_credentials'])
  const entries = await inDatabase(
    site,
    "SELECT outcome FROM guildhall_audit WHERE event = 'login' AND user_id = (SELECT id FROM guildhall_users WHERE username = 'suzie') ORDER BY id",
  )
  expect(entries.at(-1)).toEqual({ outcome: 'suspended' })
})
