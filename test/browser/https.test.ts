// Over HTTPS, as it is deployed: the cookie that a browser really keeps, and the main journey.
import { createServer, type Server } from 'node:https'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { selfSigned } from '../support/certificate.ts'
import { describeInChromium } from '../support/in-chromium.ts'
import { listen, portOf, type Site } from '../support/site.ts'
import { GOOD_PASSWORD } from '../support/visitor.ts'
import { openEnvironment, openThirdPartySite, type ThirdPartySite } from './environment.ts'
import { enter, WITH_AND_WITHOUT_SCRIPTS } from './person.ts'

const COOKIE = '__Host-guildhall'

describeInChromium((browser) => {
  let server: Server
  let site: Site
  let thirdParty: ThirdPartySite
  let base: string
  beforeAll(async () => {
    server = createServer(selfSigned())
    await listen(server)
    base = `https://localhost:${portOf(server)}`
    site = await openEnvironment({ baseUrl: base })
    server.on('request', site.app)
    thirdParty = await openThirdPartySite({ '/': `<a href="${base}/profile">profile</a>` })
  })
  afterAll(async () => {
    await thirdParty?.close()
    server?.closeAllConnections()
    server?.close()
    await site?.close()
  })

  describe.each(WITH_AND_WITHOUT_SCRIPTS)('$scripts', ({ javaScriptEnabled }) => {
    const username = javaScriptEnabled ? 'anna' : 'anna-plain'
    const come = () => enter(browser(), base, { javaScriptEnabled, ignoreHTTPSErrors: true })

    test('the session cookie is one that no other host, no script and no other site can use, and its marker tells nothing', async () => {
      const person = await come()
      await person.register(username)
      const cookies = await person.context.cookies()
      const both = { domain: 'localhost', path: '/', expires: -1, httpOnly: true, secure: true }
      expect(cookies).toEqual([
        { ...both, name: COOKIE, value: expect.stringMatching(/^[\w-]{43}$/), sameSite: 'Strict' },
        { ...both, name: `${COOKIE}-seen`, value: '1', sameSite: 'Lax' },
      ])
      await person.logOut()
      expect(await person.context.cookies()).toEqual([])
      await person.leave()
    })

    test('a person logs in where they wanted to go, changes their name and logs out', async () => {
      const person = await come()
      await person.open('/diary')
      expect(person.path).toBe('/login?returnTo=%2Fdiary')
      await person.fillLogin(username, GOOD_PASSWORD)
      expect(person.path).toBe('/diary')
      await person.open('/profile')
      await person.displayName.fill('Anna')
      await person.press('Save')
      expect(await person.heading.textContent()).toBe('Anna')
      const kept = await person.cookie(COOKIE)

      // Coming from a page without HTTPS is coming from another site, whatever its host.
      await person.page.goto(thirdParty.base)
      await person.page.getByRole('link', { name: 'profile' }).click()
      await person.page.getByRole('heading', { name: 'Anna' }).waitFor()
      expect(await person.cookie(COOKIE)).toEqual(kept)

      await person.logOut()
      const value = kept?.value ?? ''
      await person.context.addCookies([{ name: COOKIE, value, url: base, httpOnly: true, secure: true, sameSite: 'Strict' }])
      await person.open('/profile')
      expect(person.path).toBe('/login?returnTo=%2Fprofile')
      expect(person.problems).toEqual([])
      await person.leave()
    })
  })
})
