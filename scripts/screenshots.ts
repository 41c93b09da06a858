// Takes the pictures in docs/screenshots from a running site with made-up people.
// node --conditions=guildhall-source scripts/screenshots.ts
import { mkdirSync, statSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import type { Browser, BrowserContextOptions } from 'playwright-core'
import { openEnvironment } from '../test/browser/environment.ts'
import { launchChromium } from '../test/support/chromium.ts'
import type { Site } from '../test/support/site.ts'
import { GOOD_PASSWORD } from '../test/support/visitor.ts'

const FOLDER = resolve(import.meta.dirname, '../docs/screenshots')

const BROWSERS = {
  phone: 'Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 Version/18.5 Mobile/15E148 Safari/604.1',
  office: 'Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Firefox/140.0',
}

mkdirSync(FOLDER, { recursive: true })
const site = await openEnvironment()
const browser = await launchChromium()
const session = await liveALittle(site)

for (const { look, ...options } of [
  { look: 'light', colorScheme: 'light', viewport: { width: 1100, height: 700 } },
  { look: 'dark-phone', colorScheme: 'dark', viewport: { width: 360, height: 740 }, isMobile: true },
] as const) {
  for (const [name, path] of [
    ['register', '/register'],
    ['profile', '/profile'],
    ['security', '/account/security'],
  ] as const) {
    const isMember = name !== 'register'
    await save(`${name}-${look}`, await take(browser, path, options, isMember ? session : undefined))
  }
}
await save('login', await sideBySide(browser))
const chinese = { locale: 'zh-TW', colorScheme: 'light' } as const
await save(
  'security-zh-TW',
  await take(browser, '/account/security', { ...chinese, viewport: { width: 1100, height: 700 } }, session),
)
await save(
  'register-zh-TW-phone',
  await take(browser, '/register', { ...chinese, viewport: { width: 360, height: 740 }, isMobile: true }),
)

await browser.close()
await site.close()

/** Anna has been here for a while: three browsers, a wrong password, a name of her own. */
async function liveALittle({ clock, visitor }: Site): Promise<string> {
  const logIn = (password: string, userAgent: string, remember = false) =>
    visitor().api('/login', { username: 'anna', password, remember }, { headers: { 'user-agent': userAgent } })
  const anna = visitor()
  const phone = { headers: { 'user-agent': BROWSERS.phone } }
  await anna.api('/register', { username: 'anna', password: GOOD_PASSWORD }, phone)
  await anna.api('/profile', { displayName: 'Anna Lindqvist' }, phone)
  await anna.api('/logout', {}, phone)
  clock.forward('60d')
  await logIn(GOOD_PASSWORD, BROWSERS.phone, true)
  clock.forward('3d')
  await logIn('granite lantern', BROWSERS.office)
  await logIn(GOOD_PASSWORD, BROWSERS.office)
  clock.forward('4m')
  const here = visitor()
  const chrome = 'Mozilla/5.0 (X11; Linux x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36'
  await here.api('/login', { username: 'anna', password: GOOD_PASSWORD }, { headers: { 'user-agent': chrome } })
  return (await here.sessionId()) ?? ''
}

async function take(from: Browser, path: string, options: BrowserContextOptions, loggedIn?: string): Promise<Buffer> {
  const context = await from.newContext({ reducedMotion: 'reduce', ...options })
  const cookie = { name: 'guildhall', value: loggedIn ?? '', url: site.base, httpOnly: true, sameSite: 'Strict' } as const
  if (loggedIn !== undefined) await context.addCookies([cookie])
  const page = await context.newPage()
  await page.goto(site.base + path)
  // Of a phone what it shows at once: the whole of a long page would be large and say no more.
  const picture = await page.screenshot({ fullPage: options.isMobile !== true })
  await context.close()
  return picture
}

/** The login page in both schemes, as one picture. */
async function sideBySide(from: Browser): Promise<Buffer> {
  const half = { viewport: { width: 550, height: 700 } }
  const pictures: string[] = []
  for (const colorScheme of ['light', 'dark'] as const)
    pictures.push((await take(from, '/login', { ...half, colorScheme })).toString('base64'))
  const page = await from.newPage({ viewport: { width: 1100, height: 700 } })
  const images = pictures.map((picture) => `<img src="data:image/png;base64,${picture}" width="550">`)
  await page.setContent(`<body style="margin:0;display:flex">${images.join('')}</body>`)
  const picture = await page.screenshot({ fullPage: true })
  await page.close()
  return picture
}

async function save(name: string, picture: Buffer): Promise<void> {
  const file = join(FOLDER, `${name}.png`)
  writeFileSync(file, picture)
  console.log(`${name}.png: ${Math.round(statSync(file).size / 1024)} KB`)
}
