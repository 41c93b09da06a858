// One account in several tabs and several browsers: what ends in one, ends in the others if it should.
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { describeInChromium } from '../support/in-chromium.ts'
import type { Site } from '../support/site.ts'
import { openEnvironment } from './environment.ts'
import { enter, type Person, WITH_AND_WITHOUT_SCRIPTS } from './person.ts'

describeInChromium((browser) => {
  let site: Site
  beforeAll(async () => {
    site = await openEnvironment()
  })
  afterAll(() => site?.close())

  describe.each(WITH_AND_WITHOUT_SCRIPTS)('$scripts', ({ javaScriptEnabled }) => {
    const mark = javaScriptEnabled ? '' : '-plain'
    const come = () => enter(browser(), site.base, { javaScriptEnabled })

    test('a member who logs out in one tab is asked to log in at the next click in the other', async () => {
      const one = await come()
      await one.become(site, `tabs${mark}`)
      const other = await one.newTab()
      await one.open('/profile')
      await other.open('/profile')
      await one.logOut()
      await other.page.getByRole('link', { name: 'Security', exact: true }).click()
      await other.page.waitForURL('**/login?returnTo=%2Faccount%2Fsecurity')
      // A form that was still open loses nothing but its answer: after the login they are back at it.
      await other.fillLogin(`tabs${mark}`)
      expect(other.path).toBe('/account/security')
      await one.open('/login')
      expect(one.path).toBe('/profile')
      await one.leave()
    })

    test('a member who logs out twice, in two tabs, reads the same both times', async () => {
      const one = await come()
      await one.become(site, `twice${mark}`)
      const other = await one.newTab()
      await one.open('/profile')
      await other.open('/profile')
      await one.logOut()
      await other.logOut()
      expect(other.problems).toEqual([])
      await one.leave()
    })

    test('D-26 a person ends one session from another browser, then all the others', async () => {
      const [here, phone, library] = await Promise.all([come(), come(), come()])
      await here.become(site, `many${mark}`)
      await phone.logIn(`many${mark}`)
      await library.logIn(`many${mark}`)

      await here.open('/account/security')
      const sessions = here.page.getByRole('region', { name: 'Where you are logged in' })
      expect(await sessions.getByText('this one').count()).toBe(1)
      const ends = sessions.getByRole('button', { name: /^End the session on / })
      expect(await ends.count()).toBe(2)
      const loaded = here.page.waitForEvent('load')
      await ends.first().click()
      await loaded
      expect(here.path).toBe('/account/security?notice=session_ended')
      expect(await ends.count()).toBe(1)

      const clickOn = async (person: Person) => {
        const answered = person.page.waitForEvent('load')
        await person.page.getByRole('link', { name: 'Security', exact: true }).click()
        await answered
        return person.path
      }
      const paths = [await clickOn(phone), await clickOn(library)]
      expect(paths.toSorted()).toEqual(['/account/security', '/login?returnTo=%2Faccount%2Fsecurity'])

      await here.press('End the other session')
      expect(here.path).toBe('/account/security?notice=other_sessions_ended')
      for (const person of [phone, library]) {
        await person.open('/profile')
        expect(person.path).toBe('/login?returnTo=%2Fprofile')
      }
      await here.open('/profile')
      expect(here.path).toBe('/profile')
      await Promise.all([here.leave(), phone.leave(), library.leave()])
    })
  })
})
