// Chromium for pages in memory: one address per sample, under the policy that our pages have.
import type { Browser, BrowserContextOptions, Page } from 'playwright-core'
import { createAssets } from '../../src/views/assets.ts'
import type { Sample } from './samples.ts'

const { files: assets } = createAssets()

const ORIGIN = 'http://guildhall.test'
const POLICY =
  "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

/** A browser profile of its own that knows nothing but the samples. */
export interface Site {
  /** Opens the sample of this name. */
  open(name: string): Promise<Page>
  /** Paths that forms were sent to. The answer, 204, changes no page. */
  readonly posts: readonly string[]
  /** What the browser complained about: refused by the policy, not found, an error in the script. */
  readonly problems: readonly string[]
  close(): Promise<void>
}

export async function openSite(browser: Browser, pages: readonly Sample[], options: BrowserContextOptions = {}): Promise<Site> {
  const context = await browser.newContext({ viewport: { width: 1100, height: 760 }, ...options })
  const posts: string[] = []
  const problems: string[] = []
  await context.route('**/*', async (route) => {
    const request = route.request()
    const { pathname } = new URL(request.url())
    if (request.method() === 'POST') {
      posts.push(pathname)
      await new Promise((resolve) => setTimeout(resolve, 200))
      return route.fulfill({ status: 204 })
    }
    const asset = assets.get(pathname)
    if (asset) return route.fulfill({ body: asset.body, contentType: asset.type })
    const sample = pages.find(({ name }) => pathname === `/sample/${name}`)
    if (!sample) return route.fulfill({ status: 404 })
    const headers = { 'Content-Security-Policy': sample.policy ?? POLICY }
    return route.fulfill({ body: sample.html, contentType: 'text/html; charset=utf-8', headers })
  })
  const page = await context.newPage()
  page.on('console', (message) => message.type() === 'error' && problems.push(message.text()))
  page.on('pageerror', (error) => problems.push(error.message))
  page.on('dialog', (dialog) => {
    problems.push(`dialog: ${dialog.message()}`)
    return dialog.dismiss()
  })
  const open = async (name: string): Promise<Page> => {
    await page.goto(`${ORIGIN}/sample/${name}`)
    return page
  }
  return { open, posts, problems, close: () => context.close() }
}
