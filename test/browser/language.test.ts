// Somebody changes the language of the site in a browser, and finds it again elsewhere.
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { describeInChromium } from '../support/in-chromium.ts'
import type { Site } from '../support/site.ts'
import { GOOD_PASSWORD } from '../support/visitor.ts'
import { openEnvironment } from './environment.ts'
import { enter, type Person, WITH_AND_WITHOUT_SCRIPTS } from './person.ts'

describeInChromium((browser) => {
  let site: Site
  beforeAll(async () => {
    site = await openEnvironment()
  })
  afterAll(() => site?.close())

  const languageOf = ({ page }: Person) => page.locator('html').getAttribute('lang')

  async function choose({ page }: Person, name: string): Promise<void> {
    const answered = page.waitForResponse((response) => response.url().endsWith('/language'))
    await page.getByRole('banner').getByRole('button', { name, exact: true }).click()
    await answered
    await page.waitForLoadState()
  }

  describe.each(WITH_AND_WITHOUT_SCRIPTS)('$scripts', ({ javaScriptEnabled }) => {
    const name = javaScriptEnabled ? 'anna' : 'anna-plain'

    test('a visitor reads on in Chinese, on the same page, and the member finds it in another browser', async () => {
      await site.visitor().register(name)
      const person = await enter(browser(), site.base, { javaScriptEnabled, locale: 'en-GB' })
      await person.open('/login?returnTo=%2Fprofile')
      await choose(person, '繁體中文')
      expect([person.path, await languageOf(person), await person.heading.textContent()]).toEqual([
        '/login?returnTo=%2Fprofile',
        'zh-TW',
        '歡迎回來',
      ])
      expect(await person.cookie('guildhall-language')).toMatchObject({ value: 'zh-TW', sameSite: 'Lax', httpOnly: true })
      await person.page.getByLabel('使用者名稱').fill(name)
      await person.page.getByLabel('密碼', { exact: true }).fill('not the password')
      await person.press('登入')
      expect(await person.page.getByRole('alert').textContent()).toContain('使用者名稱或密碼不正確。')
      await choose(person, 'English')
      expect([person.path, await languageOf(person)]).toEqual(['/login?returnTo=%2Fprofile', 'en'])
      await person.fillLogin(name)
      await choose(person, '繁體中文')
      expect([person.path, await languageOf(person)]).toEqual(['/profile', 'zh-TW'])
      expect(person.problems).toEqual([])

      const elsewhere = await enter(browser(), site.base, { javaScriptEnabled, locale: 'en-GB' })
      await elsewhere.logIn(name, GOOD_PASSWORD)
      expect([elsewhere.path, await languageOf(elsewhere)]).toEqual(['/profile', 'zh-TW'])
      expect(await elsewhere.cookie('guildhall-language')).toBeUndefined()
      await elsewhere.leave()
      await person.leave()
    })
  })

  test('a browser that asks for Chinese gets it at once, and no cookie', async () => {
    const person = await enter(browser(), site.base, { locale: 'zh-TW' })
    await person.open('/')
    expect([await languageOf(person), await person.heading.textContent()]).toEqual(['zh-TW', '歡迎來到 Guildhall'])
    expect(person.cookiesSet).toEqual([])
    await person.leave()
  })
})
