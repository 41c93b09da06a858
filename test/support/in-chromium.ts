// Tests that need a real browser, and what becomes of them where there is none.
import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, describe } from 'vitest'
import { findChromium, launchChromium } from './chromium.ts'

/** Tests in one browser. Without Chromium they are left out and counted as such; with REQUIRE_ALL=1 they fail. */
export function describeInChromium(body: (browser: () => Browser) => void): void {
  const mayBeLeftOut = process.env.REQUIRE_ALL !== '1'
  describe.skipIf(mayBeLeftOut && findChromium() === undefined)('in Chromium, which has to be installed', () => {
    let browser: Browser | undefined
    beforeAll(async () => {
      browser = await launchChromium()
    }, 60_000)
    afterAll(() => browser?.close())
    body(() => {
      if (browser === undefined) throw new Error('the browser is not open yet')
      return browser
    })
  })
}
