// Tests that need a real browser, left out if there is none.
import type { Browser } from 'playwright-core'
import { afterAll, beforeAll } from 'vitest'
import { findChromium, type LaunchOptions, launchChromium } from './chromium.ts'
import { describeUnless } from './needs.ts'

/** Tests in one browser. */
export function describeInChromium(body: (browser: () => Browser) => void, options: LaunchOptions = {}): void {
  describeUnless(findChromium() === undefined ? 'Chromium' : undefined, 'in Chromium', () => {
    let browser: Browser | undefined
    beforeAll(async () => {
      browser = await launchChromium(options)
    }, 60_000)
    afterAll(() => browser?.close())
    body(() => {
      if (browser === undefined) throw new Error('the browser is not open yet')
      return browser
    })
  })
}
