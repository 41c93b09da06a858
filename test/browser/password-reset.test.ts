// Somebody in a browser forgot the password: from the login page over the mail in their webmail to the login.
import { describe, expect, test } from 'vitest'
import { describeInChromium } from '../support/in-chromium.ts'
import { linkIn, type MailSite, mailSiteOfTest, userWith } from '../support/site-with-mail.ts'
import { GOOD_PASSWORD } from '../support/visitor.ts'
import { enter, type Person, WITH_AND_WITHOUT_SCRIPTS } from './person.ts'
import { openWebmail } from './webmail.ts'

const NEW = 'harbour violet kettle'

const LANGUAGES = [
  {
    locale: 'en-GB',
    forgot: 'Forgot your password?',
    identifier: 'Username or mail address',
    send: 'Send the link',
    sent: 'Look into your mail',
    subject: 'Set a new password',
    heading: 'Set a new password',
    account: 'For the account anna.',
    password: 'New password',
    set: 'Set the password',
    done: 'Your new password is set. Log in with it.',
    dead: 'This link does not work',
    again: 'Ask for a new link',
  },
  {
    locale: 'zh-TW',
    forgot: '忘記密碼？',
    identifier: '使用者名稱或電子郵件',
    send: '寄送連結',
    sent: '請查看你的信箱',
    subject: '設定新密碼',
    heading: '設定新密碼',
    account: '帳號：anna。',
    password: '新密碼',
    set: '設定密碼',
    done: '新密碼已經設定好，請用新密碼登入。',
    dead: '這個連結無法使用',
    again: '重新寄送連結',
  },
] as const

/** Follows a link in webmail, over the page that reloads itself if there is one, to the page of the site. */
async function follow({ page }: Person, webmail: string, name: string): Promise<void> {
  await page.goto(webmail)
  await page.getByRole('link', { name, exact: true }).click()
  await page.waitForURL(/\/(?:reset-password|not-me)(?:\?flow=[\w-]+)?$/)
  await page.waitForLoadState()
}

async function mailedLink(site: MailSite, identifier: string): Promise<string> {
  await site.visitor().api('/forgot-password', { identifier })
  const [mail] = await site.deliver()
  return mail ? linkIn(mail) : ''
}

describeInChromium((browser) => {
  describe.each(WITH_AND_WITHOUT_SCRIPTS)('$scripts', ({ javaScriptEnabled }) => {
    test.each(LANGUAGES)('in $locale from the login page to the login with the new password', async (words) => {
      const site = await mailSiteOfTest()
      await userWith(site, 'anna')
      const person = await enter(browser(), site.base, { javaScriptEnabled, locale: words.locale })
      const { page } = person
      await person.open('/login')
      await page.getByRole('link', { name: words.forgot }).click()
      await page.getByLabel(words.identifier).fill('anna@mail.example')
      await person.press(words.send)
      expect([person.path, await person.heading.textContent()]).toEqual(['/forgot-password?notice=reset_requested', words.sent])
      expect(await person.cookie('guildhall-flow')).toBeUndefined()
      const [mail] = await site.deliver()
      expect(mail?.parsed.subject).toBe(words.subject)
      const link = mail ? linkIn(mail) : ''
      const webmail = await openWebmail(site, { mail: link })

      await follow(person, webmail, 'mail')
      expect(await person.heading.textContent()).toBe(words.heading)
      expect(await page.getByRole('main').textContent()).toContain(words.account)
      expect(await person.cookie('guildhall-flow')).toMatchObject({ sameSite: 'Lax', httpOnly: true })
      await page.reload()
      await page.getByLabel(words.password, { exact: true }).fill('password123')
      await person.press(words.set)
      expect(await page.getByRole('alert').count()).toBe(1)
      expect(await page.getByLabel(words.password, { exact: true }).inputValue()).toBe('')
      await page.getByLabel(words.password, { exact: true }).fill(NEW)
      await person.press(words.set)
      expect([person.path, await page.getByRole('status').textContent()]).toEqual([
        '/login?notice=password_reset',
        expect.stringContaining(words.done),
      ])
      expect(await person.cookie('guildhall-flow')).toBeUndefined()
      expect(await person.cookie()).toBeUndefined()
      expect((await site.visitor().logIn('anna', NEW)).status).toBe(200)

      await follow(person, webmail, 'mail')
      expect([person.path, await person.heading.textContent()]).toEqual(['/reset-password', words.dead])
      await person.press(words.again)
      expect(person.path).toBe('/forgot-password')
      expect(person.problems).toEqual([])
      await person.leave()
    })

    test('the mail about a new password logs everybody out by its button, and leads to another password', async () => {
      const site = await mailSiteOfTest()
      await userWith(site, 'anna')
      const thief = await enter(browser(), site.base, { javaScriptEnabled })
      await thief.logIn('anna')
      await thief.open('/account/password')
      await thief.page.getByLabel('Current password', { exact: true }).fill(GOOD_PASSWORD)
      await thief.page.getByLabel('New password', { exact: true }).fill(NEW)
      await thief.press('Change the password')
      const [report] = await site.deliver()
      const owner = await enter(browser(), site.base, { javaScriptEnabled })
      const webmail = await openWebmail(site, { report: report ? linkIn(report) : '' })
      await follow(owner, webmail, 'report')
      expect([owner.path.includes('token'), await owner.heading.textContent()]).toEqual([false, 'Was it not you?'])
      await owner.press('Log everybody out')
      expect(await owner.page.getByRole('status').textContent()).toContain('Everybody is logged out.')
      await thief.open('/profile')
      expect(thief.path).toBe('/login?returnTo=%2Fprofile')
      const [recovery] = await site.deliver()
      await follow(owner, await openWebmail(site, { recovery: recovery ? linkIn(recovery) : '' }), 'recovery')
      await owner.page.getByLabel('New password', { exact: true }).fill('copper meadow lantern')
      await owner.press('Set the password')
      expect((await site.visitor().logIn('anna', 'copper meadow lantern')).status).toBe(200)
      expect([...owner.problems, ...thief.problems]).toEqual([])
      for (const person of [owner, thief]) await person.leave()
    })

    test('a member who comes from webmail does not look logged out, and two mails in two tabs do not meet', async () => {
      const site = await mailSiteOfTest()
      for (const name of ['anna', 'bert']) await userWith(site, name)
      const webmail = await openWebmail(site, { anna: await mailedLink(site, 'anna'), bert: await mailedLink(site, 'bert') })
      const person = await enter(browser(), site.base, { javaScriptEnabled })
      await person.become(site, 'cora')
      await follow(person, webmail, 'anna')
      expect(await person.page.getByRole('navigation').getByRole('button', { name: 'Log out' }).count()).toBe(1)
      const tab = await person.newTab()
      await follow(tab, webmail, 'bert')
      for (const [of, name] of [
        [tab, 'bert'],
        [person, 'anna'],
      ] as const) {
        await of.page.reload()
        expect(await of.page.getByRole('main').textContent()).toContain(`For the account ${name}.`)
      }
      await tab.page.getByLabel('New password', { exact: true }).fill(NEW)
      await tab.press('Set the password')
      await person.page.getByLabel('New password', { exact: true }).fill('copper meadow lantern')
      await person.press('Set the password')
      expect((await site.visitor().logIn('bert', NEW)).status).toBe(200)
      expect((await site.visitor().logIn('anna', 'copper meadow lantern')).status).toBe(200)
      await person.open('/profile')
      expect(await person.heading.textContent()).toBe('cora')
      expect([...person.problems, ...tab.problems]).toEqual([])
      await person.leave()
    })
  })
})
