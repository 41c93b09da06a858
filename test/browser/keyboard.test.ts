// Without a mouse: the main journey by Tab, Enter and the space bar, with the focus always seen.
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { describeInChromium } from '../support/in-chromium.ts'
import type { Site } from '../support/site.ts'
import { GOOD_PASSWORD } from '../support/visitor.ts'
import { openEnvironment } from './environment.ts'
import { enter, type Person, WITH_AND_WITHOUT_SCRIPTS } from './person.ts'

interface Focus {
  readonly name: string
  readonly isSeen: boolean
}

// Written as a text: it runs in the page, and the page's types are not ours.
const FOCUS = `(() => {
  const at = document.activeElement
  const label = at.labels?.[0]?.textContent
  const { outlineStyle, outlineWidth } = getComputedStyle(at)
  const box = at.getBoundingClientRect()
  const inView = box.top >= 0 && box.left >= 0 && box.bottom <= innerHeight && box.right <= innerWidth
  return {
    name: (at.getAttribute('aria-label') ?? label ?? at.textContent).trim().replace(/\\s+/g, ' '),
    isSeen: inView && outlineStyle === 'solid' && parseFloat(outlineWidth) >= 2,
  }
})()`

const MAX_TAB_STOPS = 30

/** Presses Tab until the thing of this name has the focus; at every stop the focus must be seen. */
async function tabTo(person: Person, name: string): Promise<void> {
  const seen: string[] = []
  while (seen.length < MAX_TAB_STOPS) {
    await person.page.keyboard.press('Tab')
    const focus = await person.page.evaluate<Focus>(FOCUS)
    seen.push(focus.name)
    expect(focus.isSeen, `the focus is seen on ${focus.name}`).toBe(true)
    if (focus.name.startsWith(name)) return
  }
  throw new Error(`Tab never came to ${name}, only to ${seen.join(', ')}`)
}

async function enterAnd(person: Person, path: string): Promise<void> {
  const loaded = person.page.waitForEvent('load')
  await person.page.keyboard.press('Enter')
  await loaded
  expect(person.path).toBe(path)
}

describeInChromium((browser) => {
  let site: Site
  beforeAll(async () => {
    site = await openEnvironment()
  })
  afterAll(() => site?.close())

  describe.each(WITH_AND_WITHOUT_SCRIPTS)('$scripts', ({ javaScriptEnabled }) => {
    const username = javaScriptEnabled ? 'keys' : 'keys-plain'

    test('a person registers, changes their name, logs out and in again by keyboard alone', { timeout: 60_000 }, async () => {
      const person = await enter(browser(), site.base, { javaScriptEnabled })
      const { keyboard } = person.page
      await person.open('/')
      await tabTo(person, 'Skip')
      await tabTo(person, 'Create account')
      await enterAnd(person, '/register')
      await tabTo(person, 'Username')
      await keyboard.type(username)
      await tabTo(person, 'Password')
      await keyboard.type('short')
      await enterAnd(person, '/register')

      const focus = () => person.page.evaluate<Focus>(FOCUS)
      const name = javaScriptEnabled ? /^One thing needs another look/ : /^Password/
      await expect.poll(focus).toEqual({ name: expect.stringMatching(name), isSeen: true })
      if (javaScriptEnabled) {
        await tabTo(person, 'Password')
        await keyboard.press('Enter')
      }
      await keyboard.type(GOOD_PASSWORD)
      await enterAnd(person, '/profile?notice=registered')

      await tabTo(person, 'Display name')
      await keyboard.type('Kay')
      await tabTo(person, 'Save')
      await enterAnd(person, '/profile?notice=profile_saved')
      expect(await person.heading.textContent()).toBe('Kay')

      await tabTo(person, 'Log out')
      await enterAnd(person, '/login?notice=logged_out')
      await tabTo(person, 'Username')
      await keyboard.type(username)
      await tabTo(person, 'Password')
      await keyboard.type(GOOD_PASSWORD)
      if (javaScriptEnabled) {
        await tabTo(person, 'Show “Password”')
        await keyboard.press('Space')
        expect(await person.password.getAttribute('type')).toBe('text')
      }
      await tabTo(person, 'Keep me logged in')
      await keyboard.press('Space')
      await tabTo(person, 'Log in')
      await enterAnd(person, '/profile')
      expect((await person.cookie())?.expires).toBeGreaterThan(0)
      await person.leave()
    })

    test('the first stop of the keyboard skips what every page begins with', async () => {
      const person = await enter(browser(), site.base, { javaScriptEnabled })
      await person.open('/login')
      await tabTo(person, 'Skip')
      await person.page.keyboard.press('Enter')
      await tabTo(person, 'Username')
      expect(await person.page.evaluate<number>('document.querySelectorAll("header :focus").length')).toBe(0)
      await person.leave()
    })
  })
})
