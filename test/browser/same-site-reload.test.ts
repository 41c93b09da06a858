// People who come from another site keep their session, and newcomers can begin one, with Strict and Lax cookies.
import { randomUUID } from 'node:crypto'
import { createServer as createPlain, type RequestListener, type Server } from 'node:http'
import { createServer } from 'node:https'
import express, { type Express, type Request, type RequestHandler, type Response } from 'express'
import { createMembership } from 'guildhall'
import { MemoryStore, session } from 'guildhall/session'
import type { BrowserContext, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { selfSigned } from '../support/certificate.ts'
import { describeInChromium } from '../support/in-chromium.ts'
import { CHEAP_HASHES, portOf } from '../support/site.ts'
import { WITH_AND_WITHOUT_SCRIPTS } from './person.ts'

interface Shop {
  readonly base: string
  readonly cookieName: string
  /** The paths that were asked for, in their order. */
  readonly asked: readonly string[]
  /** How many pages have asked once more. */
  readonly reloads: number
  close(): Promise<void>
}

interface Kind {
  /** Over plain HTTP browsers send no Fetch Metadata to any other host than this machine. */
  readonly scheme: 'https' | 'http'
  readonly sameSite: 'strict' | 'lax'
  /** What is in front of the shop, made when its address is known. */
  readonly front: (base: string) => Promise<{ readonly front: RequestHandler; close(): Promise<unknown> }>
}

const overSession = (sameSite: Kind['sameSite'], scheme: Kind['scheme'] = 'https'): Kind => ({
  scheme,
  sameSite,
  async front() {
    const cookie = { secure: scheme === 'https', sameSite }
    const middleware = session({ store: new MemoryStore(), cookie, warn: () => {} })
    return { front: middleware, close: () => middleware.close() }
  },
})

const KINDS: Readonly<Record<string, Kind>> = {
  'guildhall/session, strict': overSession('strict'),
  'guildhall/session, lax': overSession('lax'),
  'guildhall/session over plain HTTP': overSession('strict', 'http'),
  'a membership': {
    scheme: 'https',
    sameSite: 'strict',
    async front(baseUrl) {
      const membership = createMembership({ baseUrl, database: 'sqlite::memory:', production: false, passwords: CHEAP_HASHES })
      await membership.migrate()
      return { front: membership, close: () => membership.close() }
    },
  },
}

/** What the shop keeps for its visitors, logged in or not. */
interface Kept {
  cart?: number
  token?: string
  returnTo?: string
  isKnown?: boolean
}

async function serve(scheme: Kind['scheme'], host: string, handler: RequestListener) {
  const server: Server = scheme === 'https' ? createServer(selfSigned(), handler) : createPlain(handler)
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  return {
    base: `${scheme}://${host}:${portOf(server)}`,
    async close() {
      server.closeAllConnections()
      await new Promise((done) => server.close(done))
    },
  }
}

async function openShop({ scheme, front }: Kind): Promise<Shop> {
  const app = express()
  const { base, close } = await serve(scheme, 'app.test', app)
  const { front: handler, close: closeFront } = await front(base)
  const asked: string[] = []
  let reloads = 0
  app.use((req, res, next) => {
    asked.push(req.path)
    res.on('finish', () => {
      if (/-seen=\d\.\d/.test(String(res.getHeader('Set-Cookie')))) reloads++
    })
    next()
  })
  app.use(handler)
  addRoutes(app)
  return {
    base,
    cookieName: scheme === 'https' ? '__Host-guildhall' : 'guildhall',
    asked,
    get reloads() {
      return reloads
    },
    async close() {
      await close()
      await closeFront()
    },
  }
}

function addRoutes(app: Express): void {
  const kept = (req: Pick<Request, 'session'>): Kept => req.session as Kept
  const show = (res: Response, heading: unknown, more = '') => {
    res.set('Cache-Control', 'no-store')
    res.send(`<!doctype html><html lang="en"><title>Shop</title><h1>${String(heading)}</h1>${more}</html>`)
  }
  app.get('/look', (req, res) => show(res, `The cart holds ${kept(req).cart ?? 0}`, '<p id="part">The part</p>'))
  app.get('/add', (req, res) => {
    kept(req).cart = (kept(req).cart ?? 0) + 1
    show(res, `The cart holds ${kept(req).cart}`, '<a href="/look">look</a>')
  })
  app.get('/form', (req, res) => {
    kept(req).token ??= randomUUID()
    show(res, 'Form', `<form method="post"><input name="token" value="${kept(req).token}"><button>Send</button></form>`)
  })
  app.post('/form', express.urlencoded(), (req, res) => show(res, req.body.token === kept(req).token ? 'Taken' : 'Refused'))
  app.get<object, unknown, unknown, { of: string }>('/diary', (req, res) => {
    if (kept(req).isKnown) return show(res, `Diary ${req.query.of}`)
    kept(req).returnTo = req.originalUrl
    res.redirect('/enter')
  })
  app.get('/enter', (_req, res) => show(res, 'Who is there?', '<form method="post"><button>Me</button></form>'))
  app.post('/enter', (req, res) => {
    kept(req).isKnown = true
    res.redirect(303, kept(req).returnTo ?? '/look')
  })
}

function openElsewhere({ scheme }: Kind, shop: string) {
  const app = express()
  app.get<object, unknown, unknown, { to: string }>(
    '/link',
    (req, res) => void res.send(`<!doctype html><a href="${shop}${req.query.to}">go</a>`),
  )
  app.get<object, unknown, unknown, { to: string }>('/sandbox', (req, res) => {
    const link = `<a target=_blank href=${shop}${req.query.to}>go</a>`
    res.send(`<!doctype html><iframe sandbox="allow-popups allow-scripts" srcdoc="${link}"></iframe>`)
  })
  app.get('/image', (_req, res) => void res.send(`<!doctype html><img src="${shop}/add" alt="">`))
  app.get('/post', (_req, res) => {
    res.send(`<!doctype html><form method="post" action="${shop}/enter"><button>Send</button></form>`)
  })
  return serve(scheme, 'other.test', app)
}

describeInChromium(
  (browser) => {
    describe.each(Object.entries(KINDS))('at a site of %s', (_name, kind) => {
      const isStrict = kind.sameSite === 'strict'
      let shop: Shop
      let elsewhere: Awaited<ReturnType<typeof openElsewhere>>
      beforeAll(async () => {
        shop = await openShop(kind)
        elsewhere = await openElsewhere(kind, shop.base)
      })
      afterAll(async () => {
        await elsewhere?.close()
        await shop?.close()
      })

      describe.each(WITH_AND_WITHOUT_SCRIPTS)('$scripts', ({ javaScriptEnabled }) => {
        const come = () =>
          Somebody.enter(browser().newContext({ ignoreHTTPSErrors: true, javaScriptEnabled }), shop, elsewhere.base)

        test('a new visitor who follows a link from another site sends the form there, and it is taken', async () => {
          const person = await come()
          await person.follow('/form')
          expect(await person.heading()).toBe('Form')
          await person.press('Send')
          expect(await person.heading()).toBe('Taken')
          expect(person.reloads).toBe(0)
          await person.leave()
        })

        test('a new visitor who follows a link to a guarded page is back there after the login', async () => {
          const person = await come()
          await person.follow('/diary?of=today')
          expect(await person.heading()).toBe('Who is there?')
          await person.press('Me')
          expect(await person.heading()).toBe('Diary today')
          await person.leave()
        })

        test('a new visitor who follows a link that fills the cart finds it filled', async () => {
          const person = await come()
          await person.follow('/add')
          await person.click('look')
          expect(await person.heading()).toBe('The cart holds 1')
          await person.leave()
        })

        test('somebody who comes for the second time has cart and form token, whatever the address', async () => {
          const person = await come()
          await person.open('/add')
          await person.open('/form')
          const before = await person.session()
          for (const address of ['/look', '/look#part', '/look?a=1&b=%22%3Cx%3E', '/look?a=1#part']) {
            await person.follow(address)
            expect([address, await person.heading()]).toEqual([address, 'The cart holds 1'])
            expect(person.page.url().split('#')[0]).toBe(shop.base + address.split('#')[0])
            // The stop on the way is no page of its own.
            await person.page.goBack()
            expect(new URL(person.page.url()).host).toBe(new URL(elsewhere.base).host)
          }
          await person.follow('/form')
          await person.press('Send')
          expect(await person.heading()).toBe('Taken')
          await person.follow('/add')
          expect(await person.heading()).toBe('The cart holds 2')
          expect(person.reloads).toBe(isStrict ? 6 : 0)
          expect(await person.session()).toEqual(before)
          expect((await person.marker())?.value).toBe(isStrict ? '1' : undefined)
          if (kind.scheme === 'https') expect(person.problems).toEqual([])
          await person.leave()
        })

        test('somebody whose session cookie was taken away begins anew, and the marker goes', async () => {
          const person = await come()
          await person.open('/add')
          await person.context.clearCookies({ name: shop.cookieName })
          await person.follow('/look')
          expect(await person.heading()).toBe('The cart holds 0')
          expect(person.reloads).toBe(isStrict ? 1 : 0)
          expect(await person.context.cookies(shop.base)).toEqual([])
          await person.follow('/add')
          await person.click('look')
          expect(await person.heading()).toBe('The cart holds 1')
          await person.leave()
        })

        test('somebody whose popup comes out of a sandbox is asked three times at most, and loses nothing', async () => {
          const person = await come()
          await person.open('/add')
          const before = await person.session()
          await person.page.goto(`${elsewhere.base}/sandbox?to=/add`)
          const popup = person.context.waitForEvent('page')
          await person.page.frameLocator('iframe').getByRole('link', { name: 'go' }).click()
          const opened = await popup
          // Over HTTPS a browser shows no page with an opener policy in such a window: it says that the site is blocked.
          if (isStrict && kind.scheme === 'https') await expect.poll(() => opened.url()).toMatch(/^chrome-error:/)
          else await opened.getByRole('heading', { name: 'The cart holds' }).waitFor()
          if (kind.scheme === 'http') expect(person.reloads).toBe(3)
          expect(person.reloads).toBeLessThanOrEqual(3)
          await opened.close()
          expect(await person.session()).toEqual(before)
          await person.open('/look')
          expect(await person.heading()).toBe(isStrict ? 'The cart holds 1' : 'The cart holds 2')
          await person.leave()
        })

        test.runIf(kind.scheme === 'https')('another site’s picture or form gives a stranger no session', async () => {
          const person = await come()
          const before = shop.asked.length
          await person.page.goto(`${elsewhere.base}/image`)
          await expect.poll(() => shop.asked.slice(before)).toContain('/add')
          await person.page.goto(`${elsewhere.base}/post`)
          await person.press('Send')
          expect(await person.context.cookies(shop.base)).toEqual([])
          await person.leave()
        })
      })

      test.runIf(isStrict && kind.scheme === 'https')(
        'somebody whose session is of the version before, without a marker, has one after a visit',
        async () => {
          const person = await Somebody.enter(browser().newContext({ ignoreHTTPSErrors: true }), shop, elsewhere.base)
          await person.open('/add')
          const { expires, ...marker } = (await person.marker()) ?? { expires: 0 }
          expect(marker).toMatchObject({
            value: '1',
            sameSite: 'Lax',
            httpOnly: true,
            secure: true,
            path: '/',
            domain: 'app.test',
          })
          expect(expires).toBe((await person.session())?.expires)
          await person.context.clearCookies({ name: `${shop.cookieName}-seen` })
          // A page that keeps nothing takes nothing away either, when a link brings them.
          await person.follow('/look')
          expect(await person.heading()).toBe('The cart holds 0')
          await person.open('/look')
          expect(await person.heading()).toBe('The cart holds 1')
          expect(await person.marker()).toMatchObject(marker)
          await person.follow('/add')
          expect(await person.heading()).toBe('The cart holds 2')
          await person.leave()
        },
      )
    })
  },
  { hosts: ['app.test', 'other.test'] },
)

class Somebody {
  readonly context: BrowserContext
  readonly page: Page
  readonly problems: string[] = []
  readonly #reloadsBefore: number
  readonly #shop: Shop
  readonly #elsewhere: string

  private constructor(context: BrowserContext, page: Page, shop: Shop, elsewhere: string) {
    this.context = context
    this.page = page
    this.#shop = shop
    this.#elsewhere = elsewhere
    context.setDefaultTimeout(15_000)
    page.on('console', (message) => message.type() === 'error' && this.problems.push(message.text()))
    this.#reloadsBefore = shop.reloads
  }

  static async enter(made: Promise<BrowserContext>, shop: Shop, elsewhere: string): Promise<Somebody> {
    const context = await made
    return new Somebody(context, await context.newPage(), shop, elsewhere)
  }

  /** How many pages asked this person once more. */
  get reloads(): number {
    return this.#shop.reloads - this.#reloadsBefore
  }

  /** As somebody does who types the address. */
  async open(path: string): Promise<void> {
    await this.page.goto(this.#shop.base + path)
  }

  /** Clicks a link on another site, and waits for the page behind it. */
  async follow(path: string): Promise<void> {
    await this.page.goto(`${this.#elsewhere}/link?to=${encodeURIComponent(path)}`)
    await this.click('go')
    await this.page.waitForURL(`${this.#shop.base}/**`)
  }

  async click(name: string): Promise<void> {
    await this.page.getByRole('link', { name, exact: true }).click()
  }

  async press(name: string): Promise<void> {
    const answered = this.page.waitForEvent('load')
    await this.page.getByRole('button', { name, exact: true }).click()
    await answered
  }

  /** Of the page that comes in the end. */
  async heading(): Promise<string | null> {
    return this.page.getByRole('heading', { level: 1 }).filter({ hasNotText: 'One moment' }).textContent()
  }

  session() {
    return this.#cookie(this.#shop.cookieName)
  }

  marker() {
    return this.#cookie(`${this.#shop.cookieName}-seen`)
  }

  async #cookie(wanted: string) {
    return (await this.context.cookies(this.#shop.base)).find(({ name }) => name === wanted)
  }

  leave(): Promise<void> {
    return this.context.close()
  }
}
