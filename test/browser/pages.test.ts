// Every page of the running site in every state, on a small screen too, under the policy it is served with.
import AxeBuilder from '@axe-core/playwright'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { describeInChromium } from '../support/in-chromium.ts'
import type { Site } from '../support/site.ts'
import { openEnvironment } from './environment.ts'
import { visitEveryPage } from './every-page.ts'
import { enter, WITH_AND_WITHOUT_SCRIPTS } from './person.ts'

const WCAG = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa']

// Written as texts: they run in the page, and the page's types are not ours.
const WIDTH = 'document.documentElement.scrollWidth'
const SMALL_TARGETS = `[...document.querySelectorAll('button, .button, nav a, .mark, .check, .control input')]
  .filter((target) => target.getBoundingClientRect().height < 44)
  .map((target) => target.outerHTML.slice(0, 80))`
const INLINE = `[...document.querySelectorAll('*')]
  .filter((element) => element.matches('style, script:not([src])') || [...element.attributes].some(({ name }) => /^(on|style$)/.test(name)))
  .map((element) => element.outerHTML.slice(0, 80))`

/** What no answer in HTML may be without: W-03. */
const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self'",
  "object-src 'none'",
  "base-uri 'none'",
  "form-action 'self'",
  "frame-ancestors 'none'",
]

const LONG_NAMES = [
  { who: 'the widest letter', username: 'W'.repeat(32), displayName: 'W'.repeat(64) },
  { who: 'one word of CJK', username: `i${'-_.'.repeat(10)}i`, displayName: '心'.repeat(64) },
]

describeInChromium((browser) => {
  let site: Site
  beforeAll(async () => {
    site = await openEnvironment()
  })
  afterAll(() => site?.close())

  test('a person with any need can use every page, in light and in dark', { timeout: 120_000 }, async () => {
    const person = await enter(browser(), site.base, { colorScheme: 'light' })
    const findings: string[] = []
    const note = (stop: string, { violations }: Awaited<ReturnType<AxeBuilder['analyze']>>) =>
      findings.push(...violations.flatMap(({ id, nodes }) => nodes.map(({ html }) => `${stop}: ${id}: ${html}`)))
    // Not in frames, which our pages have none of: so much faster.
    const axe = () => new AxeBuilder({ page: person.page }).setLegacyMode()
    await visitEveryPage(site, person, { username: 'anna', displayName: 'Anna Lindqvist' }, async (stop) => {
      note(stop, await axe().withTags(WCAG).analyze())
      await person.page.emulateMedia({ colorScheme: 'dark' })
      // The one rule of these that a scheme can break.
      note(`${stop}, dark`, await axe().withRules('color-contrast').analyze())
      await person.page.emulateMedia({ colorScheme: 'light' })
    })
    expect(findings).toEqual([])
    await person.leave()
  })

  test.each(LONG_NAMES)(
    'nothing scrolls sideways on a small phone, whatever people are called: $who',
    { timeout: 60_000 },
    async (names) => {
      const person = await enter(browser(), site.base, { viewport: { width: 360, height: 740 } })
      const findings: string[] = []
      await visitEveryPage(site, person, names, async (stop) => {
        const width = await person.page.evaluate<number>(WIDTH)
        if (width > 360) findings.push(`${stop} is ${width} px wide`)
        const small = await person.page.evaluate<string[]>(SMALL_TARGETS)
        findings.push(...small.map((target) => `${stop}: less than 44 px high: ${target}`))
      })
      expect(findings).toEqual([])
      await person.leave()
    },
  )

  test.each(WITH_AND_WITHOUT_SCRIPTS)(
    'W-03 every page has a strict policy and breaks nothing of it, $scripts',
    { timeout: 60_000 },
    async ({ javaScriptEnabled, scripts }) => {
      const person = await enter(browser(), site.base, { javaScriptEnabled })
      const findings: string[] = []
      person.context.on('response', (response) => {
        const headers = response.headers()
        if (!headers['content-type']?.startsWith('text/html')) return
        const directives = (headers['content-security-policy'] ?? '').split(';')
        if (directives.toSorted().join() !== POLICY.toSorted().join()) findings.push(`${response.url()}: ${directives.join()}`)
      })
      const names = { username: `cora-${scripts.replace(' ', '-')}`, displayName: 'Cora' }
      await visitEveryPage(site, person, names, async (stop) => {
        const inline = await person.page.evaluate<string[]>(INLINE)
        findings.push(...inline.map((element) => `${stop}: ${element}`))
      })
      expect(findings).toEqual([])
      expect(person.problems).toEqual([])
      await person.leave()
    },
  )

  test('the style sheet and the script do their work under that policy', async () => {
    const person = await enter(browser(), site.base)
    await person.open('/login')
    const style = await person.page.evaluate<string[]>(`(() => {
      const button = getComputedStyle(document.querySelector('main .primary'))
      return [button.minHeight, getComputedStyle(document.querySelector('.frieze path')).stroke, button.backgroundColor]
    })()`)
    expect(style[0]).toBe('46px')
    expect(style[1]).toContain('oklch')
    expect(style[2]).not.toBe('rgb(239, 239, 239)')
    await person.password.fill('granite lantern ferry')
    await person.page.getByRole('button', { name: 'Show “Password”' }).click()
    expect(await person.password.getAttribute('type')).toBe('text')
    await person.page.getByRole('button', { name: 'Hide “Password”' }).click()
    expect(await person.password.getAttribute('type')).toBe('password')
    await person.leave()
  })
})
