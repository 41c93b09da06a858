// Somebody clicks a button again while the first click is being answered: what it does is done once.
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { inDatabase } from '../support/database-inspector.ts'
import { describeInChromium } from '../support/in-chromium.ts'
import type { Site } from '../support/site.ts'
import { GOOD_PASSWORD } from '../support/visitor.ts'
import { openEnvironment } from './environment.ts'
import { enter, type Person, WITH_AND_WITHOUT_SCRIPTS } from './person.ts'

const NEW_PASSWORD = 'harbour violet kettle'

describeInChromium((browser) => {
  let site: Site
  let hold: Hold | undefined
  beforeAll(async () => {
    site = await openEnvironment()
    const held = async <T>(result: T): Promise<T> => (hold === undefined ? result : hold.after(result))
    const { hash, verify } = site.core.passwords
    site.core.passwords.hash = async (...asked) => held(await hash(...asked))
    site.core.passwords.verify = async (...asked) => held(await verify(...asked))
  })
  afterAll(() => site?.close())

  /** Clicks, and once more while the first request is held after its hash; says how many were sent. */
  async function clickTwice({ page }: Person, name: string): Promise<number> {
    const button = page.getByRole('main').getByRole('button', { name, exact: true })
    await button.scrollIntoViewIfNeeded()
    const { x, y, width, height } = (await button.boundingBox()) ?? { x: 0, y: 0, width: 0, height: 0 }
    const click = () => page.mouse.click(x + width / 2, y + height / 2)
    const sent: string[] = []
    page.on('request', (request) => void (request.method() === 'POST' && sent.push(request.url())))
    hold = new Hold()
    await click()
    await hold.reached
    const loaded = page.waitForEvent('load')
    await click()
    hold.end()
    await loaded
    page.removeAllListeners('request')
    return sent.length
  }

  async function actsOf(username: string): Promise<readonly string[]> {
    const sql = `SELECT event FROM guildhall_audit JOIN guildhall_users ON guildhall_users.id = user_id
      WHERE outcome = 'success' AND username = ? ORDER BY at, guildhall_audit.id`
    return (await inDatabase(site, sql, username)).map(({ event }) => String(event))
  }

  /** Without scripts the second click gives up the first answer, and its cookie may be lost: then they log in. */
  async function expectMember(person: Person, username: string, password = GOOD_PASSWORD): Promise<void> {
    await person.open('/login')
    if (person.path === '/login') await person.fillLogin(username, password)
    expect(person.path).toBe('/profile')
    expect(await person.heading.textContent()).toBe(username)
  }

  describe.each(WITH_AND_WITHOUT_SCRIPTS)('$scripts', ({ javaScriptEnabled }) => {
    const mark = javaScriptEnabled ? '' : '-plain'
    const times = javaScriptEnabled ? 1 : 2
    const come = () => enter(browser(), site.base, { javaScriptEnabled })

    test('F-34 a person who clicks twice to register has one account, and can log in', async () => {
      const person = await come()
      await person.open('/register')
      await person.page.getByLabel('Username').fill(`anna${mark}`)
      await person.password.fill(GOOD_PASSWORD)
      expect(await clickTwice(person, 'Create account')).toBe(times)
      expect(await actsOf(`anna${mark}`)).toEqual(['registered', 'login'])
      if (javaScriptEnabled) expect(person.path).toBe('/profile?notice=registered')
      await expectMember(person, `anna${mark}`)
      await person.leave()
    })

    test('F-34 a person who clicks twice to log in is logged in', async () => {
      const person = await come()
      await site.visitor().register(`berta${mark}`)
      await person.open('/login')
      await person.page.getByLabel('Username').fill(`berta${mark}`)
      await person.password.fill(GOOD_PASSWORD)
      expect(await clickTwice(person, 'Log in')).toBe(times)
      expect(person.path).toBe('/profile')
      await person.leave()
    })

    test('F-34 a person who clicks twice to change the password has changed it once', async () => {
      const person = await come()
      await person.become(site, `clara${mark}`)
      await person.open('/account/password')
      await person.page.getByLabel('Current password', { exact: true }).fill(GOOD_PASSWORD)
      await person.page.getByLabel('New password', { exact: true }).fill(NEW_PASSWORD)
      expect(await clickTwice(person, 'Change the password')).toBe(times)
      expect(await actsOf(`clara${mark}`)).toEqual(['registered', 'login', 'password_changed'])
      if (javaScriptEnabled) expect(person.path).toBe('/account/security?notice=password_changed')
      await expectMember(person, `clara${mark}`, NEW_PASSWORD)
      await person.leave()
    })

    test('F-34 a person who clicks twice to confirm the password has confirmed it once', async () => {
      const person = await come()
      await person.become(site, `doris${mark}`)
      await person.open('/reauthenticate')
      await person.password.fill(GOOD_PASSWORD)
      expect(await clickTwice(person, 'Go on')).toBe(times)
      expect((await site.membership.users.sessions(`doris${mark}`)).length).toBe(1)
      if (javaScriptEnabled) expect(person.path).toBe('/profile')
      await expectMember(person, `doris${mark}`)
      await person.leave()
    })
  })
})

/** Holds what was hashed until the second click is made. */
class Hold {
  readonly #reached = Promise.withResolvers<void>()
  readonly #ended = Promise.withResolvers<void>()
  readonly reached = this.#reached.promise

  async after<T>(result: T): Promise<T> {
    this.#reached.resolve()
    await this.#ended.promise
    return result
  }

  end(): void {
    this.#ended.resolve()
  }
}
