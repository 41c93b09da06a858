// The pages as a browser shows them: rules of WCAG, small screens, edges, and what the script adds.
import AxeBuilder from '@axe-core/playwright'
import { expect, test } from 'vitest'
import { describeInChromium } from '../support/in-chromium.ts'
import { openSite } from './browser.ts'
import { samples, samplesInEveryLanguage } from './samples.ts'

const pages = samples()
const names = pages.map(({ name }) => name)
const everyPage = samplesInEveryLanguage()

// Written as text: it runs in the page, and the page's types are not ours.
const FAINT_EDGES = `(() => {
  const canvas = document.createElement('canvas').getContext('2d')
  const rgba = (colour) => {
    canvas.clearRect(0, 0, 1, 1)
    canvas.fillStyle = colour
    canvas.fillRect(0, 0, 1, 1)
    return [...canvas.getImageData(0, 0, 1, 1).data]
  }
  const light = (colour) => {
    const [r, g, b] = rgba(colour).map((c) => c / 255).map((c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4))
    return 0.2126 * r + 0.7152 * g + 0.0722 * b
  }
  const behind = (element) => {
    for (let at = element.parentElement; at; at = at.parentElement) {
      const { backgroundColor } = getComputedStyle(at)
      if (rgba(backgroundColor)[3] === 255) return backgroundColor
    }
    return 'white'
  }
  const contrast = (a, b) => (Math.max(light(a), light(b)) + 0.05) / (Math.min(light(a), light(b)) + 0.05)
  const controls = document.querySelectorAll('.control input, .primary, .second, .small')
  return [...controls].flatMap((control) => {
    const style = getComputedStyle(control)
    const edge = control.classList.contains('primary') ? style.backgroundColor : style.borderTopColor
    const found = contrast(edge, behind(control))
    return found < 3 ? [control.outerHTML.slice(0, 60) + ': ' + found.toFixed(2)] : []
  })
})()`

const SMALL_TARGETS = `[...document.querySelectorAll('button, .button, nav a, .mark, .check, .control input')]
  .filter((target) => target.getBoundingClientRect().height < 44)
  .map((target) => target.outerHTML.slice(0, 80))`

// Lines of a text, each Chinese punctuation mark alone on a line: no Chinese book has one.
const LONELY_MARKS = `(() => {
  const found = []
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT)
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    const block = node.parentElement.closest('p, li, h1, h2, small, dd, label, span')
    const lines = new Map()
    for (let at = 0; at < node.length; at++) {
      const range = document.createRange()
      range.setStart(node, at)
      range.setEnd(node, at + 1)
      const { top, width } = range.getBoundingClientRect()
      if (width > 0) lines.set(Math.round(top), (lines.get(Math.round(top)) ?? '') + node.data[at])
    }
    for (const line of lines.values()) if (lines.size > 1 && /^[。，、；：？！）」]+$/.test(line.trim())) found.push(block.textContent.trim())
  }
  return found
})()`

describeInChromium((browser) => {
  test('somebody who reads Chinese on a phone of any width meets no line that is a full stop alone', {
    timeout: 300_000,
  }, async () => {
    const chinese = everyPage.filter(({ locale }) => locale === 'zh-TW')
    const site = await openSite(browser(), chinese)
    const found: unknown[] = []
    for (const { name } of chinese) {
      const page = await site.open(name)
      for (let width = 320; width <= 480; width += 8) {
        await page.setViewportSize({ width, height: 760 })
        const lonely: string[] = await page.evaluate(LONELY_MARKS)
        found.push(...lonely.map((text) => [name, width, text]))
      }
    }
    expect(found).toEqual([])
    await site.close()
  })

  test.each(['light', 'dark'] as const)(
    'a person with any need can use every page, %s',
    { timeout: 300_000 },
    async (colorScheme) => {
      const site = await openSite(browser(), everyPage, { colorScheme, reducedMotion: 'reduce' })
      const findings: string[] = []
      for (const { name } of everyPage) {
        const page = await site.open(name)
        // The same-site reload page fades in, and half faded its contrast is too low.
        await page.evaluate('Promise.all(document.getAnimations().map(({ finished }) => finished)).then(() => {})')
        const axe = new AxeBuilder({ page })
        // In other colours only the rules about colours can find anything else.
        if (colorScheme === 'light') axe.withTags(['wcag2a', 'wcag2aa', 'wcag21aa', 'wcag22aa'])
        else axe.withRules(['color-contrast', 'link-in-text-block'])
        const { violations } = await axe.analyze()
        findings.push(...violations.flatMap(({ id, nodes }) => nodes.map((node) => `${name}: ${id}: ${node.html}`)))
        const faint: string[] = await page.evaluate(FAINT_EDGES)
        findings.push(...faint.map((control) => `${name}: faint edge: ${control}`))
      }
      expect(findings).toEqual([])
      expect(site.problems).toEqual([])
      await site.close()
    },
  )

  test('nothing scrolls sideways at 360 px, and a thumb finds every target', { timeout: 120_000 }, async () => {
    const longName = 'W'.repeat(64)
    const everything = [
      ...everyPage,
      ...samplesInEveryLanguage(longName).map(({ name, html }) => ({ name: `${name}-long`, html })),
    ]
    const site = await openSite(browser(), everything, { viewport: { width: 360, height: 760 } })
    const findings: string[] = []
    for (const { name } of everything) {
      const page = await site.open(name)
      const width: number = await page.evaluate('document.documentElement.scrollWidth')
      if (width > 360) findings.push(`${name} is ${width} px wide`)
      const small: string[] = await page.evaluate(SMALL_TARGETS)
      findings.push(...small.map((target) => `${name}: ${target}`))
    }
    expect(findings).toEqual([])
    await site.close()
  })

  test('a display name full of markup runs nothing', async () => {
    const hostile = '"><script>alert(1)</script><img src=x onerror=alert(2)>'
    const site = await openSite(browser(), samples(hostile))
    for (const name of names) await site.open(name)
    expect(site.problems).toEqual([])
    await site.close()
  })

  test('the focus is on what went wrong', async () => {
    const withScripts = await openSite(browser(), pages)
    const first = await withScripts.open('register-errors')
    await first.waitForFunction('document.activeElement.id === "summary"')
    await withScripts.close()

    const without = await openSite(browser(), pages, { javaScriptEnabled: false })
    const second = await without.open('register-errors')
    expect(await second.locator('#field-username:focus').count()).toBe(1)
    const third = await without.open('login-refused')
    expect(await third.locator('#field-password:focus').count()).toBe(1)
    await without.close()
  })

  test('a person can look at the password, paste into it, and sends it hidden', async () => {
    const site = await openSite(browser(), pages)
    const page = await site.open('login')
    const input = page.locator('#field-password')
    await input.fill('correct horse')
    await page.getByRole('button', { name: 'Show “Password”' }).click()
    expect(await input.getAttribute('type')).toBe('text')
    await page.getByRole('button', { name: 'Hide “Password”' }).click()
    expect(await input.getAttribute('type')).toBe('password')
    await page.getByRole('button', { name: 'Show “Password”' }).click()
    const pasteAllowed = await page.evaluate(
      `document.querySelector('#field-password').dispatchEvent(new ClipboardEvent('paste', { bubbles: true, cancelable: true }))`,
    )
    expect(pasteAllowed).toBe(true)
    await page.locator('#field-username').fill('anna')
    await page.getByRole('button', { name: 'Log in' }).click()
    expect(await input.getAttribute('type')).toBe('password')
    await site.close()
  })

  test('a double click sends a form once', async () => {
    const site = await openSite(browser(), pages)
    const page = await site.open('logout')
    await page.locator('main button').dblclick()
    await page.waitForTimeout(400)
    expect(site.posts).toEqual(['/logout'])
    await site.close()
  })
})
