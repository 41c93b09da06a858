// Attacks on mail addresses: whose they are, who is told, and what a login by one gives away.
import { describe, expect, test } from 'vitest'
import { inDatabase } from '../support/database-inspector.ts'
import { type MailSite, mailSiteOfTest, textOf, userWith } from '../support/site-with-mail.ts'
import { GOOD_PASSWORD } from '../support/visitor.ts'

const WRONG = 'wrong, all wrong'

const register = (site: MailSite, username: string, email: unknown) =>
  site.visitor().api('/register', { username, password: GOOD_PASSWORD, email })

/** Everything of an answer but what is about this request. */
function comparable({ status, headers, text }: Awaited<ReturnType<typeof register>>) {
  const shown = [...headers].filter(([name]) => !['date', 'set-cookie', 'x-request-id', 'etag', 'content-length'].includes(name))
  const body = text.replace(/"(?:id|username|displayName|createdAt|email|requestId)":"[^"]*"/g, '')
  return { status, shown, body }
}

describe('at the registration', () => {
  test('B-03 an address that somebody has proven answers like a new one, with the same writes, and its owner gets a notice', async () => {
    const site = await mailSiteOfTest()
    await userWith(site, 'berta', { email: 'owner@mail.example' })
    const rows = async () =>
      Object.fromEntries(
        await Promise.all(
          ['users', 'credentials', 'audit', 'mails', 'tokens', 'flows'].map(
            async (table) =>
              [table, Number((await inDatabase(site, `SELECT count(*) AS n FROM guildhall_${table}`))[0]?.n)] as const,
          ),
        ),
      )
    const grownBy = async (act: () => Promise<unknown>) => {
      const before = await rows()
      await act()
      return Object.fromEntries(Object.entries(await rows()).map(([table, n]) => [table, n - (before[table] ?? 0)]))
    }
    const answers: Awaited<ReturnType<typeof register>>[] = []
    const known = await grownBy(async () => answers.push(await register(site, 'thief', 'OWNER@mail.example')))
    const unknown = await grownBy(async () => answers.push(await register(site, 'other', 'other@mail.example')))
    expect(known).toEqual(unknown)
    expect(known.mails).toBe(1)
    const [first, second] = answers.map(comparable)
    expect(first).toEqual(second)
    expect(first?.status).toBe(201)

    const mails = await site.deliver()
    expect(mails.map(({ to }) => to.join()).toSorted()).toEqual(['other@mail.example', 'owner@mail.example'])
    const notice = mails.find(({ to }) => to.includes('owner@mail.example'))
    expect(notice && textOf(notice)).toContain('so it stays yours and nothing was changed')
    // No link that proves anything, and not the name that the stranger chose.
    expect(notice && textOf(notice)).not.toMatch(/token=|thief/)
  })

  test('E-02 a claim blocks nobody: several accounts may name one address, and none logs in with it', async () => {
    const site = await mailSiteOfTest()
    for (const name of ['first', 'second']) expect((await register(site, name, 'both@mail.example')).status).toBe(201)
    expect((await site.visitor().logIn('both@mail.example')).status).toBe(401)
    expect((await site.visitor().logIn('first')).status).toBe(200)
  })

  test('E-04 what is no address is refused at its field, and leaves nothing behind', async () => {
    const site = await mailSiteOfTest()
    const before = await inDatabase(site, 'SELECT count(*) AS n FROM guildhall_users')
    for (const [email, code] of [
      ['a@x.test,b@y.test', 'not_an_address'],
      ['"a@evil.test x"@ok.test', 'not_an_address'],
      ['a＠evil.test', 'not_an_address'],
      ['a@ok.test\0@evil.test', 'not_an_address'],
      ['<a@x.test>', 'not_an_address'],
      ['a@x.test\r\nBcc: z@evil.test', 'not_an_address'],
      ['a@0x7f.1', 'not_an_address'],
      ['a\u200b@x.test', 'not_an_address'],
      ['a@localhost', 'not_an_address'],
      ['a'.repeat(600), 'too_long'],
      [null, 'wrong_type'],
      [[], 'wrong_type'],
      [['a@x.test'], 'wrong_type'],
      [{}, 'wrong_type'],
      [7, 'wrong_type'],
    ] as const) {
      const refused = await register(site, 'nemo', email)
      expect([email, refused.status, refused.json()]).toMatchObject([email, 422, { errors: [{ field: 'email', code }] }])
    }
    expect((await register(site, 'nemo', 'a'.repeat(1_000_000))).status).toBe(413)
    expect(await inDatabase(site, 'SELECT count(*) AS n FROM guildhall_users')).toEqual(before)
    expect(await site.deliver()).toEqual([])
  })

  test('E-20 a form that is sent twice at once makes one account and one mail', async () => {
    const site = await mailSiteOfTest()
    const visitor = site.visitor()
    const fields = { username: 'anna', password: GOOD_PASSWORD, email: 'anna@mail.example' }
    const answers = await Promise.all([visitor.form('/register', fields), visitor.form('/register', fields)])
    expect(answers.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([303, 409])
    expect(await site.deliver()).toHaveLength(1)
    expect(await site.membership.users.list()).toHaveLength(1)
  })

  test('a password is not made of the address', async () => {
    const site = await mailSiteOfTest()
    const input = { username: 'anna', password: 'konstantinopel1', email: 'Konstantinopel@mail.example' }
    const refused = await site.visitor().api('/register', input)
    expect(refused.json()).toMatchObject({ errors: [{ field: 'password', code: 'too_personal' }] })
  })

  test('without mail there is no field, and what is sent is passed over', async () => {
    const site = await mailSiteOfTest({ email: 'off' })
    expect((await site.visitor().get('/register')).text).not.toContain('name="email"')
    expect((await register(site, 'anna', 'anna@mail.example')).json()).toMatchObject({ user: { email: null } })
    expect(await site.deliver()).toEqual([])
  })
})

describe('a login by an address', () => {
  test('B-06 works once it is proven, however it is typed, and has one count with the username', async () => {
    const site = await mailSiteOfTest({ rateLimit: true })
    await userWith(site, 'alice', { email: 'alice@mail.example' })
    for (const typed of ['alice@mail.example', 'ALICE@Mail.Example', ' alice@mail.example ', 'alice＠mail.example'])
      expect([typed, (await site.visitor().logIn(typed)).status]).toEqual([typed, 200])

    const typed = ['alice', 'alice@mail.example', 'ALICE@mail.example', ' alice@mail.example', 'al\u200bice＠mail.example']
    for (const name of typed) expect((await site.visitor().logIn(name, WRONG)).status).toBe(401)
    // The five of the account are used up: the right password is not looked at, by whatever name.
    for (const name of [...typed, 'alice@mail.example', 'Alice']) {
      const { status } = await site.visitor().logIn(name)
      expect([name, [401, 429].includes(status)]).toEqual([name, true])
    }
    await site.membership.users.unlock('alice')
    expect((await site.visitor().logIn('alice@mail.example')).status).toBe(200)
    expect((await site.visitor().logIn('alice')).status).toBe(200)
  })

  test('B-06 an address in another script has one count however its domain is written', async () => {
    const site = await mailSiteOfTest({ rateLimit: true })
    await userWith(site, 'wang', { email: 'wang@xn--fsqu00a.xn--kpry57d' })
    expect((await site.visitor().logIn('wang@例子.台灣')).status).toBe(200)
    for (let n = 0; n < 5; n++) await site.visitor().logIn(n % 2 ? 'wang@例子.台灣' : 'wang@xn--fsqu00a.xn--kpry57d', WRONG)
    expect((await site.visitor().logIn('wang@例子。台灣')).status).toBe(401)
  })

  test('B-05 while the username is guessed at, its address answers like one that nobody has', async () => {
    const site = await mailSiteOfTest({ rateLimit: true })
    await userWith(site, 'alice', { email: 'alice@mail.example' })
    await userWith(site, 'claimed', { email: 'claimed@mail.example', isProven: false })
    for (let n = 0; n < 5; n++) await site.visitor().logIn('alice', WRONG)
    // As many tries as it takes until each is refused for itself.
    const heard = async (name: string) => {
      const statuses: number[] = []
      for (let n = 0; n < 4; n++) statuses.push((await site.visitor().logIn(name, WRONG)).status)
      return statuses
    }
    const [known, claimed, nobody] = [
      await heard('alice@mail.example'),
      await heard('claimed@mail.example'),
      await heard('nobody@mail.example'),
    ]
    expect(known).toEqual(nobody)
    expect(claimed).toEqual(nobody)
  })

  test('B-05 a login makes as many counts by an address that nobody has as by one that somebody has', async () => {
    const site = await mailSiteOfTest({ rateLimit: true })
    await userWith(site, 'alice', { email: 'alice@mail.example' })
    await userWith(site, 'claimed', { email: 'claimed@mail.example', isProven: false })
    const counters = async () => Number((await inDatabase(site, 'SELECT count(*) AS n FROM guildhall_counters'))[0]?.n)
    // Of the network, which all of them share.
    await site.visitor().logIn('first', WRONG)
    const made: number[] = []
    for (const name of ['alice', 'claimed', 'nobody']) {
      const before = await counters()
      await site.visitor().logIn(`${name}@mail.example`, WRONG)
      made.push((await counters()) - before)
    }
    expect(made).toEqual([2, 2, 2])
  })

  test('B-05 a hash is computed for an address that is refused, as for a wrong password', async () => {
    const site = await mailSiteOfTest({ rateLimit: true })
    await userWith(site, 'alice', { email: 'alice@mail.example' })
    for (let n = 0; n < 5; n++) await site.visitor().logIn('alice', WRONG)
    const before = site.core.passwords.stats.done
    expect((await site.visitor().logIn('alice@mail.example')).status).toBe(401)
    expect(site.core.passwords.stats.done - before).toBe(1)
    const [entry] = await inDatabase(site, "SELECT outcome FROM guildhall_audit WHERE event = 'login' ORDER BY id DESC LIMIT 1")
    expect(entry?.outcome).toBe('throttled')
  })
})

describe('an operator', () => {
  test('makes an account with an address that is proven, and is told of one that somebody else has', async () => {
    const site = await mailSiteOfTest()
    const { users } = site.membership
    await register(site, 'squatter', 'anna@mail.example')
    const anna = await users.create({
      username: 'anna',
      password: GOOD_PASSWORD,
      email: 'Anna@mail.example',
      emailVerified: true,
    })
    expect(anna).toMatchObject({ email: 'Anna@mail.example', emailVerified: true })
    expect((await site.visitor().logIn('anna@mail.example')).status).toBe(200)
    // Whoever only claimed it has no address now.
    expect(await users.find('squatter')).toMatchObject({ email: undefined, emailVerified: false })
    const second = users.create({ username: 'second', email: 'ANNA@mail.example', emailVerified: true })
    await expect(second).rejects.toMatchObject({ code: 'invalid_input', errors: [{ field: 'email', code: 'taken' }] })
    expect(await users.find('second')).toBeUndefined()
  })

  test('E-02 of a hundred accounts that are made at once with one proven address one is', async () => {
    const site = await mailSiteOfTest()
    const made = await Promise.allSettled(
      Array.from({ length: 100 }, (_, n) =>
        site.membership.users.create({ username: `anna-${n}`, email: 'anna@mail.example', emailVerified: true }),
      ),
    )
    expect(made.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
    const [row] = await inDatabase(site, "SELECT count(*) AS n FROM guildhall_users WHERE email_key = 'anna@mail.example'")
    expect(Number(row?.n)).toBe(1)
  })
})

describe('whether somebody came back', () => {
  const usedAt = async (site: MailSite, username: string) =>
    (await inDatabase(site, 'SELECT used_at FROM guildhall_users WHERE username = ?', username))[0]?.used_at ?? undefined

  test('is not said by the registration, and by a later login once', async () => {
    const site = await mailSiteOfTest()
    await site.visitor().register('anna')
    expect(await usedAt(site, 'anna')).toBeUndefined()
    await site.visitor().logIn('anna')
    const first = Number(await usedAt(site, 'anna'))
    expect(first).toBe(site.clock.now())
    site.clock.forward('1h')
    await site.visitor().logIn('anna')
    expect(Number(await usedAt(site, 'anna'))).toBe(first)
  })

  test('is said by a request of the next day, and not of the same', async () => {
    const site = await mailSiteOfTest({ session: { idleTimeout: '2d', absoluteTimeout: '9d' } })
    const visitor = site.visitor()
    await visitor.register('anna')
    site.clock.forward('20h')
    await visitor.api('/profile')
    expect(await usedAt(site, 'anna')).toBeUndefined()
    site.clock.forward('5h')
    await visitor.api('/profile')
    await expect.poll(() => usedAt(site, 'anna')).toBe(site.clock.now())
  })
})
