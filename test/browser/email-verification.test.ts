// Somebody in a browser proves their address: from the registration over the mail to the profile.
import { describe, expect, test } from 'vitest'
import { describeInChromium } from '../support/in-chromium.ts'
import { linkIn, type MailSite, mailSiteOfTest, textOf } from '../support/site-with-mail.ts'
import type { TakenMail } from '../support/smtp.ts'
import { GOOD_PASSWORD } from '../support/visitor.ts'
import { enter, type Person, WITH_AND_WITHOUT_SCRIPTS } from './person.ts'
import { openWebmail } from './webmail.ts'

const ADDRESS = 'Anna@mail.example'

const LANGUAGES = [
  {
    locale: 'en-GB',
    username: 'Username',
    email: 'Mail address',
    password: 'Password',
    register: 'Create account',
    registered: 'Open the mail that we send you',
    unproven: 'not proven yet',
    subject: 'Prove your address for Guildhall',
    own: 'Is this your address?',
    foreign: 'Is this your account?',
    prove: 'Prove the address',
    done: 'Your mail address is proven.',
    code: 'Code',
    again: 'Send the mail again',
    disown: 'This is not my account',
    gone: 'Your address is no longer named by that account',
    dead: 'This link cannot be used',
  },
  {
    locale: 'zh-TW',
    username: '使用者名稱',
    email: '電子郵件',
    password: '密碼',
    register: '建立帳號',
    registered: '請打開我們寄給你的信',
    unproven: '尚未驗證',
    subject: '驗證你在 Guildhall 的電子郵件',
    own: '這是你的電子郵件嗎？',
    foreign: '這是你的帳號嗎？',
    prove: '驗證電子郵件',
    done: '你的電子郵件已經驗證',
    code: '驗證碼',
    again: '再寄一次',
    disown: '這不是我的帳號',
    gone: '那個帳號已經不再使用你的電子郵件',
    dead: '這個連結無法使用',
  },
] as const

type Words = (typeof LANGUAGES)[number]

async function register(person: Person, words: Words): Promise<void> {
  const { page } = person
  await person.open('/register')
  await page.getByLabel(words.username).fill('anna')
  await page.getByLabel(words.email).fill(ADDRESS)
  await page.getByLabel(words.password, { exact: true }).fill(GOOD_PASSWORD)
  await person.press(words.register)
  await page.waitForURL('**/profile?notice=registered_email')
}

async function theMail(site: MailSite): Promise<TakenMail> {
  const [mail] = await site.deliver()
  if (!mail) throw new Error('no mail came')
  return mail
}

/** Follows the link in webmail, over the page that reloads itself if there is one. */
async function follow({ page }: Person, webmail: string): Promise<void> {
  await page.goto(webmail)
  await page.getByRole('link', { name: 'mail', exact: true }).click()
  await page.waitForURL(/\/verify-email(?:\?flow=[\w-]+)?$/)
  await page.waitForLoadState()
}

describeInChromium((browser) => {
  describe.each(WITH_AND_WITHOUT_SCRIPTS)('$scripts', ({ javaScriptEnabled }) => {
    test.each(LANGUAGES)('in $locale from the registration over the mail to the proof', async (words) => {
      const site = await mailSiteOfTest()
      const person = await enter(browser(), site.base, { javaScriptEnabled, locale: words.locale })
      const { page } = person
      await register(person, words)
      expect(await page.getByRole('status').textContent()).toContain(words.registered)
      expect(await page.getByRole('main').textContent()).toContain('Anna@mail.example')
      await page.getByRole('link', { name: words.unproven }).click()
      await page.getByLabel(words.code, { exact: true }).fill('BCDF-GHJK')
      await person.press(words.prove)
      expect(await page.getByRole('alert').count()).toBe(1)
      expect(await page.getByLabel(words.code, { exact: true }).inputValue()).toBe('')
      const mail = await theMail(site)
      expect(mail.parsed.subject).toBe(words.subject)
      const webmail = await openWebmail(site, { mail: linkIn(mail) })

      // A member who comes from webmail does not look logged out.
      await follow(person, webmail)
      expect(await person.heading.textContent()).toBe(words.own)
      await page.reload()
      await person.press(words.prove)
      expect([person.path, await page.getByRole('status').textContent()]).toEqual([
        '/account/security?notice=email_verified',
        expect.stringContaining(words.done),
      ])
      expect(await person.cookie('guildhall-flow')).toBeUndefined()
      expect(person.problems.filter((problem) => !problem.includes('401'))).toEqual([])
      await person.leave()
    })

    test.each(LANGUAGES)('in $locale by the code of a mail that was sent again', async (words) => {
      const site = await mailSiteOfTest()
      const person = await enter(browser(), site.base, { javaScriptEnabled, locale: words.locale })
      const { page } = person
      await register(person, words)
      await theMail(site)
      await person.open('/verify-email')
      await person.press(words.again)
      const code = /\b[A-Z]{4}-[A-Z]{4}\b/.exec(textOf(await theMail(site)))?.[0] ?? ''
      await page.getByLabel(words.code, { exact: true }).fill(code.toLowerCase())
      await person.press(words.prove)
      expect(await page.getByRole('status').textContent()).toContain(words.done)
      expect(person.problems).toEqual([])
      await person.leave()
    })

    test.each(LANGUAGES)('in $locale whoever reads the mail and did not register says so', async (words) => {
      const site = await mailSiteOfTest()
      await site.visitor().api('/register', { username: 'anna', password: GOOD_PASSWORD, email: ADDRESS })
      const person = await enter(browser(), site.base, { javaScriptEnabled, locale: words.locale })
      const { page } = person
      const webmail = await openWebmail(site, { mail: linkIn(await theMail(site)) })
      await follow(person, webmail)
      expect(await person.heading.textContent()).toBe(words.foreign)
      await person.press(words.disown)
      expect(await page.getByRole('status').textContent()).toContain(words.gone)
      expect(await site.membership.users.find('anna')).toMatchObject({ email: undefined })
      await follow(person, webmail)
      expect(await person.heading.textContent()).toBe(words.dead)
      expect(person.problems).toEqual([])
      await person.leave()
    })
  })
})
