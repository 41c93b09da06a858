// Hooks: the host application has a say before an account is made and before anybody is logged in.
import { RefusalError } from 'guildhall'
import { afterEach, expect, test } from 'vitest'
import { openSite, type Site } from '../support/site.ts'
import { GOOD_PASSWORD } from '../support/visitor.ts'

let site: Site

afterEach(() => site.close())

test('a hook refuses a registration with a code and a text, at both endpoints, and nothing is written', async () => {
  site = await openSite({
    hooks: {
      async beforeRegister({ username, ip }) {
        await Promise.resolve()
        if (username.startsWith('bot')) throw new RefusalError('no_robots', `No robots from ${ip}.`)
      },
    },
  })
  const refused = await site.visitor().register('bot-9000')
  expect([refused.status, refused.json()]).toMatchObject([
    403,
    { code: 'refused', reason: 'no_robots', detail: 'No robots from 127.0.0.1.' },
  ])
  const page = await site.visitor().form('/register', { username: 'bot-9000', password: GOOD_PASSWORD })
  expect(page.status).toBe(403)
  expect(page.text).toContain('No robots from 127.0.0.1.')
  expect(page.text).toContain('value="bot-9000"')
  expect(await site.membership.users.find('bot-9000')).toBeUndefined()
  expect((await site.visitor().register('human')).status).toBe(201)
})

test('a hook is asked after the input was checked, not about names that could not be', async () => {
  const asked: string[] = []
  site = await openSite({ hooks: { beforeRegister: ({ username }) => void asked.push(username) } })
  await site.visitor().register('-')
  await site.visitor().api('/register', { username: 'good-name', password: 'short' })
  await site.visitor().register('good-name')
  expect(asked).toEqual(['good-name'])
})

test('a hook refuses a login after the right password, and there is no session', async () => {
  site = await openSite({
    hooks: {
      beforeSignIn({ user }) {
        if (user.username === 'paused') throw new RefusalError('membership_paused', 'Your membership is paused.')
      },
    },
  })
  await site.membership.users.create({ username: 'paused', password: GOOD_PASSWORD })
  const received: unknown[] = []
  site.membership.on('login', ({ outcome, user, ip }) => received.push([outcome, user?.username, ip]))
  const visitor = site.visitor()
  expect((await visitor.logIn('paused', 'wrong, all wrong')).json()).toMatchObject({ code: 'invalid_credentials' })
  const refused = await visitor.logIn('paused')
  expect([refused.status, refused.json()]).toMatchObject([403, { code: 'refused', reason: 'membership_paused' }])
  expect(refused.setCookies).toEqual([])
  expect((await visitor.api('/profile')).status).toBe(401)
  expect(received).toEqual([
    ['wrong_credentials', 'paused', '127.0.0.1'],
    ['refused', 'paused', '127.0.0.1'],
  ])
})

test('F-19 a hook that breaks ends one request with 500 and tells nothing; the next is fine', async () => {
  let broken = true
  site = await openSite({
    hooks: {
      beforeSignIn() {
        if (broken) throw new Error('the host’s database password is hunter2')
      },
    },
  })
  await site.membership.users.create({ username: 'ivan', password: GOOD_PASSWORD })
  const failed = await site.visitor().logIn('ivan')
  expect([failed.status, failed.json().code]).toEqual([500, 'internal'])
  expect(failed.text).not.toContain('hunter2')
  broken = false
  expect((await site.visitor().logIn('ivan')).status).toBe(200)
})

test('a reason that is no code is a mistake of the programmer', () => {
  expect(() => new RefusalError('No Robots!', 'text')).toThrow("reason must be snake_case, got 'No Robots!'")
})
