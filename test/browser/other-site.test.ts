// People who come from another site, and what that site can make their browser do here.
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { describeInChromium } from '../support/in-chromium.ts'
import type { Site } from '../support/site.ts'
import { openEnvironment, openThirdPartySite, type ThirdPartySite } from './environment.ts'
import { enter, type Person, WITH_AND_WITHOUT_SCRIPTS } from './person.ts'

const FRAMED = [
  '/',
  '/login',
  '/register',
  '/logout',
  '/profile',
  '/account/security',
  '/account/password',
  '/reauthenticate',
  '/diary',
  '/nothing',
]

describeInChromium((browser) => {
  let site: Site
  let thirdParty: ThirdPartySite
  beforeAll(async () => {
    site = await openEnvironment()
    thirdParty = await openThirdPartySite(pagesOf(site.base))
  })
  afterAll(async () => {
    await thirdParty?.close()
    await site?.close()
  })

  describe.each(WITH_AND_WITHOUT_SCRIPTS)('$scripts', ({ javaScriptEnabled }) => {
    const mark = javaScriptEnabled ? '' : '-plain'
    const come = () => enter(browser(), site.base, { javaScriptEnabled })

    /** Clicks the link of this name on the other site, and waits until the page behind it is there. */
    async function follow(person: Person, link: string): Promise<void> {
      await person.page.goto(`${thirdParty.base}/links`)
      await person.page.getByRole('link', { name: link, exact: true }).click()
      await person.page.waitForURL(`${site.base}/**`)
    }

    test('a person who follows a link from another site is logged in there, and stays it', async () => {
      const person = await come()
      await person.become(site, `anna${mark}`, 'Anna')
      const before = await person.cookie()
      const set = person.cookiesSet.length

      await follow(person, 'profile')
      await person.page.getByRole('heading', { name: 'Anna' }).waitFor()
      expect(person.path).toBe('/profile')
      // The reloading page is no entry in the history: one step back is the other site.
      await person.page.goBack()
      expect(person.page.url()).toBe(`${thirdParty.base}/links`)

      await follow(person, 'diary')
      await person.page.getByRole('heading', { name: `The diary of anna${mark}` }).waitFor()
      expect(person.path).toBe('/diary?of=today')

      await follow(person, 'redirect')
      await person.page.getByRole('heading', { name: 'Security' }).waitFor()

      expect(await person.cookie()).toEqual(before)
      expect(person.cookiesSet.length).toBe(set)
      expect(person.problems).toEqual([])
      await person.leave()
    })

    test('a person who follows a link into a new tab is logged in there', async () => {
      const person = await come()
      await person.become(site, `tabbed${mark}`, 'Anna')
      await person.page.goto(`${thirdParty.base}/links`)
      const [tab] = await Promise.all([
        person.context.waitForEvent('page'),
        person.page.getByRole('link', { name: 'new tab', exact: true }).click(),
      ])
      await tab.getByRole('heading', { name: 'Anna' }).waitFor()
      await person.leave()
    })

    test('somebody without a login who follows a link lands on the login page and is given no cookie', async () => {
      const person = await come()
      await follow(person, 'diary')
      await person.page.getByRole('heading', { name: 'Welcome back' }).waitFor()
      expect(person.path).toBe('/login?returnTo=%2Fdiary%3Fof%3Dtoday')
      expect(await person.context.cookies()).toEqual([])
      expect(person.cookiesSet).toEqual([])
      await person.leave()
    })

    test('C-09 C-10 forms of another site log nobody out or in and change nothing', async () => {
      const mallory = site.visitor()
      await mallory.register(`mallory${mark}`)
      const victim = await come()
      await victim.become(site, `victim${mark}`, 'Untouched')
      const before = await victim.cookie()
      const set = victim.cookiesSet.length
      for (const form of ['logout', 'login', 'profile', 'register', 'end-others']) {
        expect(await sendForm(victim, form), form).toBe(403)
        expect(await victim.heading.textContent(), form).toBe('This came from another site')
      }
      expect(await victim.cookie()).toEqual(before)
      expect(victim.cookiesSet.length).toBe(set)
      await victim.open('/profile')
      expect(await victim.heading.textContent()).toBe('Untouched')

      const stranger = await come()
      for (const form of ['login', 'register']) expect(await sendForm(stranger, form), form).toBe(403)
      expect(await stranger.context.cookies()).toEqual([])
      await Promise.all([victim.leave(), stranger.leave()])
    })

    /** The other site's page sends its form by itself if scripts run; else the visitor clicks. */
    async function sendForm(person: Person, name: string): Promise<number> {
      const answered = person.page.waitForResponse((response) => response.request().method() === 'POST')
      await person.page.goto(`${thirdParty.base}/form/${name}${mark}`, { waitUntil: 'commit' })
      if (!javaScriptEnabled) await person.page.getByRole('button').click()
      const response = await answered
      await person.page.waitForURL(`${site.base}/**`)
      return response.status()
    }
  })

  test('a script of another site can neither write here nor read who is logged in', async () => {
    const person = await enter(browser(), site.base)
    await person.become(site, 'scripted', 'Untouched')
    await person.page.goto(`${thirdParty.base}/links`)
    const found = await person.page.evaluate<string[]>(`(async () => {
      const call = (path, options) => fetch('${site.base}' + path, { credentials: 'include', ...options }).then((r) => r.type, () => 'refused')
      const form = new URLSearchParams({ displayName: 'Taken over' })
      return [
        await call('/api/profile'),
        await call('/api/logout', { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{}' }),
        await call('/profile', { method: 'POST', mode: 'no-cors', body: form }),
        await call('/logout', { method: 'POST', mode: 'no-cors' }),
      ]
    })()`)
    // Opaque: sent, and nothing of the answer can be seen. That it did nothing is seen below.
    for (const type of found) expect(['refused', 'opaque']).toContain(type)
    await person.open('/profile')
    expect(await person.heading.textContent()).toBe('Untouched')
    await person.leave()
  })

  test('W-04 no page can be shown in a frame of another site', async () => {
    const person = await enter(browser(), site.base)
    await person.become(site, 'framed')
    for (const path of FRAMED) {
      await person.page.goto(`${thirdParty.base}/frame${path}`)
      const frame = () => person.page.frames()[1]?.url()
      await expect.poll(frame, { message: path }).toBe('chrome-error://chromewebdata/')
    }
    await person.leave()
  })
})

function pagesOf(base: string): Record<string, string> {
  const fields = (values: Record<string, string>) =>
    Object.entries(values).map(([name, value]) => `<input name="${name}" value="${value}">`)
  const form = (path: string, values: Record<string, string> = {}) => `
    <form method="post" action="${base}${path}">${fields(values).join('')}<button>You have won</button></form>
    <script>document.forms[0].submit()</script>`
  const forms = (mark: string) => ({
    [`/form/logout${mark}`]: form('/logout'),
    [`/form/login${mark}`]: form('/login', { username: `mallory${mark}`, password: 'granite lantern ferry' }),
    [`/form/profile${mark}`]: form('/profile', { displayName: 'Taken over' }),
    [`/form/register${mark}`]: form('/register', { username: `planted${mark}`, password: 'granite lantern ferry' }),
    [`/form/end-others${mark}`]: form('/account/sessions/end-others'),
  })
  const frames = FRAMED.map((path) => [`/frame${path}`, `<iframe src="${base}${path}"></iframe>`])
  return {
    '/links': `
      <a href="${base}/profile">profile</a>
      <a href="${base}/diary?of=today">diary</a>
      <a href="${base}/profile" target="_blank" rel="noreferrer">new tab</a>
      <a href="/away?${base}/account/security">redirect</a>`,
    ...forms(''),
    ...forms('-plain'),
    ...Object.fromEntries(frames),
  }
}
