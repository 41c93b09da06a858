// Redirects and texts of answers: notices, waiting times in words, cookies.
import { expect, test } from 'vitest'
import { siteOfTest } from '../support/artifacts.ts'
import { GOOD_PASSWORD } from '../support/visitor.ts'

test('somebody who registers on the way to a page of the application comes to that page, without a notice of ours', async () => {
  const site = await siteOfTest({ routes: (app) => app.get('/shop', (req, res) => void res.send(req.originalUrl)) })
  const fields = { password: GOOD_PASSWORD, displayName: '' }
  const toShop = await site.visitor().form('/register', { ...fields, username: 'anna', returnTo: '/shop?basket=1#till' })
  expect(toShop.location).toBe('/shop?basket=1#till')
  const ours = await site
    .visitor()
    .form('/register', { ...fields, username: 'berta', returnTo: '/account/security?x=1#sessions' })
  expect(ours.location).toBe('/account/security?x=1&notice=registered#sessions')
  expect((await site.visitor().form('/register', { ...fields, username: 'clara' })).location).toBe('/profile?notice=registered')
})

test('somebody who logs out is told so on the login page, also on one of the application in the place of ours', async () => {
  const site = await siteOfTest({ path: '/members', features: { login: { page: { own: '/sign-in' } } } })
  expect((await site.visitor().form('/members/logout', {})).location).toBe('/sign-in?notice=logged_out')
  const moved = await siteOfTest({ path: '/members' })
  expect((await moved.visitor().form('/members/logout', {})).location).toBe('/members/login?notice=logged_out')
})

test('somebody whose login is refused behind a page of the application is led back to it, and to where they wanted to go', async () => {
  const site = await siteOfTest({
    features: { login: { page: { own: '/sign-in' } }, registration: { page: { own: '/join' } } },
    routes: (app) =>
      app.get('/sign-in', (req, res) => void res.send(`next: ${new URLSearchParams(req.url.split('?')[1]).get('returnTo')}`)),
  })
  const fields = { username: 'anna', password: 'wrong, all wrong' }
  const back = async (path: string, more: object) => {
    const { status, text } = await site.visitor().form(path, { ...fields, ...more })
    expect(status).toBeGreaterThan(399)
    return /class="button primary" href="([^"]*)"/.exec(text)?.[1]
  }
  expect(await back('/login', { returnTo: '/shop?basket=1#till' })).toBe('/sign-in?returnTo=%2Fshop%3Fbasket%3D1%23till')
  expect((await site.visitor().get('/sign-in?returnTo=%2Fshop%3Fbasket%3D1%23till')).text).toBe('next: /shop?basket=1#till')
  expect(await back('/login', {})).toBe('/sign-in')
  expect(await back('/login', { returnTo: 'https://evil.example/' })).toBe('/sign-in')
  expect(await back('/register', { password: 'x', returnTo: '/shop' })).toBe('/join?returnTo=%2Fshop')
})

test.each([
  ['en', /Wait (\d+) minutes?, then/],
  ['zh-TW', /請等 (\d+) 分鐘，/],
])('somebody who tried too often reads in %s how long to wait, as Retry-After says it', async (language, words) => {
  const site = await siteOfTest({ rateLimit: true })
  await site.visitor().register('anna')
  const headers = { 'accept-language': language }
  const visitor = site.visitor()
  const guess = () => visitor.form('/login', { username: 'anna', password: 'wrong, all wrong' }, { headers })
  for (let tries = 0; tries < 5; tries++) expect((await guess()).status).toBe(401)
  site.clock.forward('90s')
  const page = await guess()
  const seconds = Number(page.headers.get('retry-after'))
  expect([page.status, seconds > 120]).toEqual([429, true])
  expect(Number(words.exec(page.text)?.[1])).toBe(Math.ceil(seconds / 60))
  const json = await visitor.api('/login', { username: 'anna', password: 'wrong, all wrong' }, { headers })
  expect(json.json<{ detail: string }>().detail).toMatch(words)
})

test('somebody to whom a sibling site has given a cookie named $Version is logged in everywhere, and logs out', async () => {
  const site = await siteOfTest()
  const visitor = site.visitor()
  await visitor.register('anna')
  const cookie = `$Version=1; guildhall=${await visitor.sessionId()}; guildhall-seen=1`
  expect((await visitor.get('/profile', { headers: { cookie } })).status).toBe(200)
  const left = await visitor.form('/logout', {}, { headers: { cookie } })
  expect([left.status, left.setCookies.length]).toEqual([303, 2])
  expect((await visitor.get('/profile', { headers: { cookie } })).location).toBe('/login?returnTo=%2Fprofile')
  // No loop: the login page does not send away whom the profile does not know.
  expect((await visitor.get('/login', { headers: { cookie } })).status).toBe(200)
})
