// The main job in a browser: register, log in, see and change the profile, log out, and stay out.
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { launchChromium } from '../support/chromium.ts'
import { describeInChromium } from '../support/in-chromium.ts'
import type { Site } from '../support/site.ts'
import { GOOD_PASSWORD } from '../support/visitor.ts'
import { openEnvironment } from './environment.ts'
import { enter, WITH_AND_WITHOUT_SCRIPTS } from './person.ts'

describeInChromium((browser) => {
  let site: Site
  beforeAll(async () => {
    site = await openEnvironment()
  })
  afterAll(() => site?.close())

  describe.each(WITH_AND_WITHOUT_SCRIPTS)('$scripts', ({ javaScriptEnabled }) => {
    const mark = javaScriptEnabled ? '' : '-plain'
    const come = () => enter(browser(), site.base, { javaScriptEnabled })

    test('a person registers, changes their name, logs out, and comes back to where they wanted to go', async () => {
      const person = await come()
      await person.open('/')
      await person.page.getByRole('main').getByRole('link', { name: 'Create an account' }).click()
      await person.page.getByLabel('Username').fill(`anna${mark}`)
      await person.password.fill(GOOD_PASSWORD)
      await person.press('Create account')
      expect(person.path).toBe('/profile?notice=registered')
      expect(await person.heading.textContent()).toBe(`anna${mark}`)
      expect(await person.page.getByRole('status').textContent()).toContain('Your account is ready')

      await person.displayName.fill('Anna 安娜')
      await person.press('Save')
      expect(person.path).toBe('/profile?notice=profile_saved')
      expect(await person.heading.textContent()).toBe('Anna 安娜')

      await person.logOut()
      expect(await person.page.getByRole('status').textContent()).toContain('You are logged out')
      expect(await person.cookie()).toBeUndefined()

      await person.open('/diary?of=today')
      expect(person.path).toBe('/login?returnTo=%2Fdiary%3Fof%3Dtoday')
      await person.fillLogin(`anna${mark}`, 'not the password')
      expect(await person.page.getByRole('alert').textContent()).toContain('The name or the password is wrong.')
      expect(await person.page.getByLabel('Username').inputValue()).toBe(`anna${mark}`)
      expect(await person.password.inputValue()).toBe('')
      await person.fillLogin(`ANNA${mark}`)
      expect(person.path).toBe('/diary?of=today')
      expect(await person.heading.textContent()).toBe(`The diary of anna${mark}`)
      expect(person.problems).toEqual([])
      await person.leave()
    })

    test('D-02 a session from before the login is dead afterwards, in the browser that kept it too', async () => {
      const person = await come()
      await site.visitor().register(`fix${mark}`)
      await person.open('/basket')
      const before = await person.cookie()
      await person.logIn(`fix${mark}`)
      const after = await person.cookie()
      expect(before?.value).toBeTruthy()
      expect(after?.value).toBeTruthy()
      expect(after?.value).not.toBe(before?.value)
      await person.putBack(before?.value ?? '')
      await person.open('/profile')
      expect(person.path).toBe('/login?returnTo=%2Fprofile')
      // Nothing was wrong but the cookie: the new one is still good.
      await person.putBack(after?.value ?? '')
      await person.open('/profile')
      expect(person.path).toBe('/profile')
      await person.leave()
    })

    test('D-25 a person changes the password: another browser is logged out, and the new one opens the account', async () => {
      const [person, other] = [await come(), await come()]
      await person.become(site, `new${mark}`)
      await other.logIn(`new${mark}`)
      await person.open('/account/security')
      await person.page.getByRole('link', { name: 'Change the password' }).click()
      expect(person.path).toBe('/account/password')
      const field = (label: string) => person.page.getByLabel(label, { exact: true })
      const [current, next] = [field('Current password'), field('New password')]
      await current.fill('not the password')
      await next.fill('harbour violet kettle')
      await person.press('Change the password')
      expect(await person.page.getByRole('alert').textContent()).toContain('That is not your current password.')
      expect([await current.inputValue(), await next.inputValue()]).toEqual(['', ''])
      await current.fill(GOOD_PASSWORD)
      await next.fill('harbour violet kettle')
      await person.press('Change the password')
      expect(person.path).toBe('/account/security?notice=password_changed')
      await other.open('/profile')
      expect(other.path).toBe('/login?returnTo=%2Fprofile')
      await other.fillLogin(`new${mark}`)
      expect(await other.page.getByRole('alert').textContent()).toContain('The name or the password is wrong.')
      await other.fillLogin(`new${mark}`, 'harbour violet kettle')
      expect(other.path).toBe('/profile')
      expect([...person.problems, ...other.problems]).toEqual([])
      for (const one of [person, other]) await one.leave()
    })

    test('D-20 after a logout the kept cookie opens nothing', async () => {
      const person = await come()
      await person.become(site, `out${mark}`)
      await person.open('/profile')
      const kept = await person.cookie()
      await person.logOut()
      await person.putBack(kept?.value ?? '')
      for (const path of ['/profile', '/account/security', '/diary', '/reauthenticate']) {
        await person.open(path)
        expect(person.path).toBe(`/login?returnTo=${encodeURIComponent(path)}`)
      }
      await person.leave()
    })

    test('W-01 after a logout the Back button shows no data', async () => {
      const person = await come()
      await person.register(`back${mark}`, 'Nobody may read this')
      await person.open('/account/security')
      await person.open('/profile')
      await person.logOut()
      for (const path of ['/profile', '/account/security', '/profile?notice=registered']) {
        await person.page.goBack()
        expect(person.path).toBe(`/login?returnTo=${encodeURIComponent(path)}`)
        expect(await person.page.content()).not.toContain('Nobody may read this')
      }
      await person.leave()
    })

    test('a form that is sent after the session has ended leads through the login back to its page', async () => {
      const person = await come()
      await person.become(site, `late${mark}`)
      await person.open('/profile?notice=registered')
      await person.displayName.fill('Too Late')
      site.clock.forward('20m')
      await person.press('Save')
      expect(person.path).toBe('/login?returnTo=%2Fprofile%3Fnotice%3Dregistered')
      await person.fillLogin(`late${mark}`)
      await person.page.waitForURL('**/profile**')
      expect(await person.heading.textContent()).toBe(`late${mark}`)
      await person.leave()
    })

    test('somebody who logged in a while ago confirms the password and goes on, under a new session', async () => {
      const person = await come()
      await person.become(site, `curator${mark}`)
      await person.open('/vault')
      expect(await person.heading.textContent()).toBe(`The vault of curator${mark}`)
      const before = await person.cookie()
      site.clock.forward('6m')
      await person.open('/vault')
      expect(person.path).toBe('/reauthenticate?returnTo=%2Fvault')
      await person.password.fill('not the password')
      await person.press('Go on')
      expect(await person.page.getByRole('alert').textContent()).toContain('That is not your password.')
      await person.password.fill(GOOD_PASSWORD)
      await person.press('Go on')
      expect(person.path).toBe('/vault')
      expect((await person.cookie())?.value).not.toBe(before?.value)
      await person.leave()
    })

    test('only a person who asked for it is remembered when the browser closes', async () => {
      const person = await come()
      await site.visitor().register(`stay${mark}`)
      await person.logIn(`stay${mark}`)
      expect((await person.cookie())?.expires).toBe(-1)
      await person.logOut()
      await person.open('/login')
      await person.page.getByLabel('Keep me logged in').check()
      await person.fillLogin(`stay${mark}`)
      const days = ((await person.cookie())?.expires ?? 0) / 86_400 - Date.now() / 86_400_000
      expect(Math.round(days)).toBe(30)
      await person.leave()
    })
  })

  test('W-01 D-34 a browser that keeps whole pages for its Back button drops them at the logout', async () => {
    const keeping = await launchChromium({ keepsPages: true })
    const person = await enter(keeping, site.base)
    const { page } = person
    await page.addInitScript(
      `addEventListener('pageshow', (event) => console.log(event.persisted ? 'kept' : 'fetched', location.pathname))`,
    )
    /** Until the page says of itself that it was shown so. */
    const back = async (seen: string) => {
      const shown = page.waitForEvent('console', { predicate: (message) => message.text() === seen })
      // While Chromium puts one page in the place of another there is none to go back from; it refuses before anything has moved.
      await vi.waitFor(() => page.goBack({ waitUntil: 'commit' }), { timeout: 60_000, interval: 100 })
      await shown
    }
    await person.register('kept', 'Nobody may read this')
    await person.open('/account/security')
    await person.open('/profile')
    // It does keep them, no-store or not: without this the rest would prove nothing.
    await back('kept /account/security')
    await person.logOut()
    await back('fetched /login')
    expect(person.path).toBe('/login?returnTo=%2Faccount%2Fsecurity')
    await back('fetched /login')
    expect(person.path).toBe('/login?returnTo=%2Fprofile%3Fnotice%3Dregistered')
    expect(await page.content()).not.toContain('Nobody may read this')
    await keeping.close()
  })

  test('two people register at the same time and neither sees the other', async () => {
    const [one, two] = await Promise.all([enter(browser(), site.base), enter(browser(), site.base)])
    await Promise.all([one.register('first-one', 'First'), two.register('second-one', 'Second')])
    expect(await one.heading.textContent()).toBe('First')
    expect(await two.heading.textContent()).toBe('Second')
    await Promise.all([one.leave(), two.leave()])
  })
})
