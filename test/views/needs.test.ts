// The pages for people with needs: large text, zoom to 320 px, own colours, paper, keyboard alone.
import type { BrowserContextOptions, Page } from 'playwright-core'
import { expect, test } from 'vitest'
import { describeInChromium } from '../support/in-chromium.ts'
import { openSite } from './browser.ts'
import { samplesInEveryLanguage } from './samples.ts'

const pages = samplesInEveryLanguage()
const LONG_NAMES = ['W'.repeat(64), '心'.repeat(64), 'Wilhelmina Konstantinopel-Esterházy von der Brückenwald zu Ehrenfels']

// Written as texts: they run in the page, and the page's types are not ours.
const LARGE_TEXT = `document.documentElement.style.fontSize = '200%'`

/** What sticks out of the window or of its own box. */
const CUT = `[...document.querySelectorAll('body *')]
  .filter((element) => !element.closest('svg, .skip') && element.getClientRects().length > 0)
  .filter((element) => {
    const { left, right } = element.getBoundingClientRect()
    const isBlock = getComputedStyle(element).display !== 'inline' && element.tagName !== 'INPUT'
    return left < -1 || right > innerWidth + 1 || (isBlock && element.scrollWidth > element.clientWidth + 1)
  })
  .map((element) => element.outerHTML.slice(0, 80))
  .concat(document.documentElement.scrollWidth > innerWidth ? ['the page scrolls sideways'] : [])`

/** The page's own words that are on two lines. */
const BROKEN = `(() => {
  const texts = document.createTreeWalker(document.querySelector('main'), NodeFilter.SHOW_TEXT)
  const broken = []
  while (texts.nextNode()) {
    for (const { 0: word, index } of texts.currentNode.data.matchAll(/[a-z]{2,12}/gi)) {
      const range = document.createRange()
      range.setStart(texts.currentNode, index)
      range.setEnd(texts.currentNode, index + word.length)
      const tops = new Set([...range.getClientRects()].map(({ top }) => Math.round(top)))
      if (tops.size > 1 && !texts.currentNode.parentElement.closest('code')) broken.push('broken: ' + word)
    }
  }
  return broken
})()`

const OVERLAPS = `(() => {
  const things = [...document.querySelectorAll('main :is(h1, h2, label, .control, button:not(.show), .button, .hint, .error, dt, dd, .lead, .niche)')]
  const boxes = things.map((thing) => [thing, thing.getBoundingClientRect()])
  return boxes.flatMap(([one, a], at) =>
    boxes.slice(at + 1).flatMap(([other, b]) => {
      if (one.contains(other) || other.contains(one)) return []
      const wide = Math.min(a.right, b.right) - Math.max(a.left, b.left)
      const high = Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top)
      return wide > 1 && high > 1 ? [one.outerHTML.slice(0, 60) + ' and ' + other.outerHTML.slice(0, 60)] : []
    }),
  )
})()`

const LINES_OF_HEADING = `(() => {
  const heading = document.querySelector('h1')
  return Math.round(heading.getBoundingClientRect().height / parseFloat(getComputedStyle(heading).lineHeight))
})()`

const TAB_STOPS = `[...document.querySelectorAll('a[href], button, input:not([type=hidden], [hidden])')].map((stop) => stop.outerHTML)`

const FOCUS = `(() => {
  const at = document.activeElement
  if (at === document.body) return undefined
  const { outlineStyle, outlineWidth, outlineColor } = getComputedStyle(at)
  const box = at.getBoundingClientRect()
  const around = getComputedStyle(document.documentElement).backgroundColor
  return {
    html: at.outerHTML,
    isSeen: outlineStyle === 'solid' && parseFloat(outlineWidth) >= 2 && outlineColor !== around && box.bottom > 0 && box.top < innerHeight,
  }
})()`

/** Wherever the focus is, the next Tab comes to the first stop. Chromium moves the focus to a field with autofocus in the first frames. */
const FROM_THE_TOP = `(async () => {
  for (let frame = 0; frame < 2; frame++) await new Promise(requestAnimationFrame)
  const start = document.createElement('span')
  start.tabIndex = -1
  document.body.prepend(start)
  start.focus()
  start.remove()
})()`

interface Focus {
  readonly html: string
  readonly isSeen: boolean
}

/** From the top of the page until Tab leaves it. */
async function tabThrough(page: Page, most: number): Promise<Focus[]> {
  const stops: Focus[] = []
  await page.evaluate(FROM_THE_TOP)
  while (stops.length <= most) {
    await page.keyboard.press('Tab')
    const focus = await page.evaluate<Focus | undefined>(FOCUS)
    // Out of the page, or round again: as the browser has it.
    if (!focus || focus.html === stops[0]?.html) break
    stops.push(focus)
  }
  return stops
}

describeInChromium((browser) => {
  const find = async (options: BrowserContextOptions, look: (page: Page) => Promise<readonly string[]>, shown = pages) => {
    const site = await openSite(browser(), shown, { reducedMotion: 'reduce', ...options })
    const findings: string[] = []
    for (const { name } of shown) findings.push(...(await look(await site.open(name))).map((finding) => `${name}: ${finding}`))
    await site.close()
    return findings
  }
  const findCut = async (page: Page) => [...(await page.evaluate<string[]>(CUT)), ...(await page.evaluate<string[]>(OVERLAPS))]

  test.each([1100, 640, 360])(
    'nothing is cut, broken or overlapping with text twice as large, %i px wide',
    { timeout: 60_000 },
    async (width) => {
      const findings = await find({ viewport: { width, height: 760 } }, async (page) => {
        await page.evaluate(LARGE_TEXT)
        return [...(await findCut(page)), ...(await page.evaluate<string[]>(BROKEN))]
      })
      expect(findings).toEqual([])
    },
  )

  test('nothing is cut and nothing overlaps at 320 px, which is 1280 px zoomed to 400 %', { timeout: 60_000 }, async () => {
    const longNames = samplesInEveryLanguage('W'.repeat(64)).map((sample) => ({ ...sample, name: `${sample.name}-long` }))
    expect(await find({ viewport: { width: 320, height: 640 } }, findCut, [...pages, ...longNames])).toEqual([])
  })

  test.each(LONG_NAMES)('a long name is a heading of few lines on a small phone: %s', async (name) => {
    const profile = samplesInEveryLanguage(name).filter((sample) => sample.name.startsWith('profile'))
    const lines = await find(
      { viewport: { width: 360, height: 740 } },
      async (page) => [String(await page.evaluate<number>(LINES_OF_HEADING))],
      profile,
    )
    for (const line of lines) expect(Number(line.split(': ')[1]), line).toBeLessThanOrEqual(5)
  })

  test('with forced colours the keys go through every control in order, the focus is seen at each, and they get out', {
    timeout: 60_000,
  }, async () => {
    const findings = await find({ forcedColors: 'active' }, async (page) => {
      const expected = await page.evaluate<string[]>(TAB_STOPS)
      const stops = await tabThrough(page, expected.length)
      expect(stops.map(({ html }) => html)).toEqual(expected)
      return stops.filter(({ isSeen }) => !isSeen).map(({ html }) => `no focus seen: ${html.slice(0, 80)}`)
    })
    expect(findings).toEqual([])
  })

  test.each(['light', 'dark'] as const)('with forced colours, %s, edges say what backgrounds said', async (colorScheme) => {
    const site = await openSite(browser(), pages, { forcedColors: 'active', colorScheme })
    const page = await site.open('register-errors-en')
    const style = (selector: string, property: string) =>
      page.evaluate<string>(`getComputedStyle(document.querySelector('${selector}')).${property}`)
    const canvas = await style('html', 'backgroundColor')
    expect(await style('#field-displayName', 'borderTopWidth')).toBe('1px')
    expect(await style('#field-displayName', 'borderTopColor')).not.toBe(canvas)
    expect(await style('#field-username', 'borderTopWidth')).toBe('4px')
    expect(await style('.summary', 'borderLeftWidth')).toBe('5px')
    expect(await style('main .primary', 'backgroundColor')).not.toBe(canvas)
    expect(await style('nav [aria-current]', 'borderBottomColor')).not.toBe(canvas)
    expect(await style('nav a:not([aria-current])', 'borderBottomColor')).toBe(canvas)
    await site.close()
  })

  test('on paper there is nothing to press, and all is black on white', { timeout: 60_000 }, async () => {
    const findings = await find({ colorScheme: 'dark', viewport: { width: 720, height: 1000 } }, async (page) => {
      await page.emulateMedia({ media: 'print' })
      return page
        .evaluate<string[]>(`(() => {
        const shown = [...document.querySelectorAll('body *')].filter((element) => element.getClientRects().length > 0 && !element.closest('svg, .control, .check'))
        const pressed = shown.filter((element) => element.matches('button, nav, .button, .skip, .language, .frieze') || (element.matches('input') && element.closest('.wide')))
        const coloured = shown.filter((element) => {
          const { color, backgroundColor } = getComputedStyle(element)
          return color !== 'rgb(0, 0, 0)' || !['rgba(0, 0, 0, 0)', 'rgb(255, 255, 255)'].includes(backgroundColor)
        })
        return [...pressed, ...coloured].map((element) => element.outerHTML.slice(0, 80))
      })()`)
        .then(async (found) => [...found, ...(await findCut(page))])
    })
    expect(findings).toEqual([])
  })

  test('a reader who asks for more contrast gets full ink, one who asks for less motion gets none', async () => {
    const find = async (options: BrowserContextOptions, name: string, expression: string) => {
      const site = await openSite(browser(), pages, options)
      const found = await (await site.open(name)).evaluate<string>(expression)
      await site.close()
      return found
    }
    const ink = `getComputedStyle(document.querySelector('.lead')).color`
    expect(await find({ contrast: 'more', colorScheme: 'light' }, 'login-en', ink)).toBe('rgb(0, 0, 0)')
    expect(await find({ contrast: 'more', colorScheme: 'dark' }, 'login-en', ink)).toBe('rgb(255, 255, 255)')
    const motion = `getComputedStyle(document.querySelector('main .primary')).transitionDuration`
    expect(await find({ reducedMotion: 'reduce' }, 'login-en', motion)).toBe('0s')
    expect(await find({ reducedMotion: 'no-preference' }, 'login-en', motion)).not.toBe('0s')
  })
})
