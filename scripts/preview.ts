// Takes pictures of every page in every language, light and dark, wide and on a phone.
// node --conditions=guildhall-source scripts/preview.ts FOLDER [part of a page's name]
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { launchChromium } from '../test/support/chromium.ts'
import { openSite } from '../test/views/browser.ts'
import { samplesInEveryLanguage } from '../test/views/samples.ts'

const [folder, only = ''] = process.argv.slice(2)
if (!folder) {
  console.error('Give a folder for the pictures: scripts/preview.ts FOLDER [part of a page name]')
  process.exit(1)
}
mkdirSync(folder, { recursive: true })

const shown = samplesInEveryLanguage().filter(({ name }) => name.includes(only))
const browser = await launchChromium()
for (const colorScheme of ['light', 'dark'] as const) {
  for (const width of [1100, 360]) {
    const site = await openSite(browser, shown, { colorScheme, javaScriptEnabled: false, viewport: { width, height: 760 } })
    for (const { name } of shown) {
      const page = await site.open(name)
      const picture = await page.screenshot({ fullPage: true, animations: 'disabled' })
      writeFileSync(join(folder, `${name}-${colorScheme}-${width}.png`), picture)
    }
    await site.close()
  }
}
await browser.close()
console.log(`${shown.length * 4} pictures in ${folder}`)
