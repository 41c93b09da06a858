// Somebody in front of a real browser, and everything that browser complains about while they look around.
import type { Browser, BrowserContext, BrowserContextOptions, Page, Response } from 'playwright-core'
import type { Site } from '../support/site.ts'
import { GOOD_PASSWORD } from '../support/visitor.ts'

export class Person {
  readonly base: string
  readonly context: BrowserContext
  readonly page: Page
  /** What the browser refused, could not load or could not run; dialogs too. Must stay empty. */
  readonly problems: string[] = []
  /** Answers of the site that set a cookie, as `GET /path`; but for the marker beside the session cookie. */
  readonly cookiesSet: string[] = []

  constructor(base: string, context: BrowserContext, page: Page) {
    this.base = base
    this.context = context
    this.page = page
    this.#listen(page)
    context.on('response', (response) => this.#note(response))
  }

  /** Opens an address, as somebody does who types it. */
  async open(path: string): Promise<Response | null> {
    return this.page.goto(this.base + path)
  }

  async register(username: string, displayName = ''): Promise<void> {
    await this.open('/register')
    await this.page.getByLabel('Username').fill(username)
    await this.displayName.fill(displayName)
    await this.password.fill(GOOD_PASSWORD)
    await this.press('Create account')
    await this.page.waitForURL('**/profile?notice=registered')
  }

  /** Has an account and is logged in, without walking through the pages. */
  async become(site: Site, username: string, displayName?: string): Promise<void> {
    const visitor = site.visitor()
    const { status, text } = await visitor.api('/register', { username, displayName, password: GOOD_PASSWORD })
    if (status !== 201) throw new Error(`${username} was not registered: ${text}`)
    await this.putBack((await visitor.sessionId()) ?? '', { marked: true })
  }

  async logIn(username: string, password = GOOD_PASSWORD): Promise<void> {
    await this.open('/login')
    await this.fillLogin(username, password)
    await this.page.waitForURL('**/profile')
  }

  /** Fills in the login page that is open, and sends it. */
  async fillLogin(username: string, password = GOOD_PASSWORD): Promise<void> {
    await this.page.getByLabel('Username').fill(username)
    await this.password.fill(password)
    await this.press('Log in')
  }

  /** Presses the button of this name in the page, not in its navigation, and waits for the page that answers. */
  async press(name: string): Promise<void> {
    const loaded = this.page.waitForEvent('load')
    await this.page.getByRole('main').getByRole('button', { name, exact: true }).click()
    await loaded
  }

  async logOut(): Promise<void> {
    await this.page.getByRole('navigation').getByRole('button', { name: 'Log out' }).click()
    await this.page.waitForURL('**/login?notice=logged_out')
  }

  get displayName() {
    return this.page.getByRole('textbox', { name: 'Display name' })
  }

  get password() {
    return this.page.getByLabel('Password', { exact: true })
  }

  /** The page's one heading. */
  get heading() {
    return this.page.getByRole('heading', { level: 1 })
  }

  /** The browser's path and query; fails if it has left the site. */
  get path(): string {
    const { origin, pathname, search } = new URL(this.page.url())
    if (origin !== this.base) throw new Error(`the browser has left the site for ${this.page.url()}`)
    return pathname + search
  }

  /** The session cookie as the browser keeps it. */
  async cookie(name = 'guildhall') {
    const cookies = await this.context.cookies(this.base)
    return cookies.find((cookie) => cookie.name === name)
  }

  /** Puts a session cookie back that somebody has kept, with the marker beside it or without. */
  async putBack(value: string, { marked = false } = {}): Promise<void> {
    const { hostname } = new URL(this.base)
    const common = { domain: hostname, path: '/', httpOnly: true, secure: false }
    await this.context.addCookies([
      { ...common, name: 'guildhall', value, sameSite: 'Strict' },
      ...(marked ? [{ ...common, name: 'guildhall-seen', value: '1', sameSite: 'Lax' } as const] : []),
    ])
  }

  /** A second tab of the same browser. */
  async newTab(): Promise<Person> {
    return new Person(this.base, this.context, await this.context.newPage())
  }

  leave(): Promise<void> {
    return this.context.close()
  }

  #listen(page: Page): void {
    page.on('console', (message) => {
      const kind = message.type()
      // The browser also mentions an answer like 404 or 422, which is a page of ours as good as any.
      const isStatus = /the server responded with a status of 4\d\d/.test(message.text())
      if ((kind === 'error' || kind === 'warning') && !isStatus) this.problems.push(`${page.url()}: ${message.text()}`)
    })
    page.on('pageerror', (error) => this.problems.push(`${page.url()}: ${error.message}`))
    page.on('dialog', (dialog) => {
      this.problems.push(`${page.url()}: dialog ${dialog.message()}`)
      return dialog.dismiss()
    })
  }

  #note(response: Response): void {
    const request = response.request()
    const { origin, pathname } = new URL(response.url())
    if (origin !== this.base) return
    // Not allHeaders(), which asks the browser once more and may find the page gone.
    const lines = response.headers()['set-cookie']?.split('\n') ?? []
    if (lines.some((line) => !/^[^=]*-seen=/.test(line))) this.cookiesSet.push(`${request.method()} ${pathname}`)
    if (response.status() >= 400 && request.resourceType() !== 'document')
      this.problems.push(`${request.method()} ${pathname} answered ${response.status()}`)
  }
}

/** A browser profile of its own at this site. */
export async function enter(browser: Browser, base: string, options: BrowserContextOptions = {}): Promise<Person> {
  const context = await browser.newContext({ viewport: { width: 1100, height: 760 }, reducedMotion: 'reduce', ...options })
  // Less than a test has: what did not come is named.
  context.setDefaultTimeout(15_000)
  return new Person(base, context, await context.newPage())
}

/** Every journey runs twice: nothing may depend on scripts. */
export const WITH_AND_WITHOUT_SCRIPTS = [
  { scripts: 'with scripts', javaScriptEnabled: true },
  { scripts: 'without scripts', javaScriptEnabled: false },
] as const
