// Somebody who forgot the password asks for a mail, opens its link and sets a new one.
import { describe, expect, test } from 'vitest'
import { inDatabase, siteOfTest } from '../support/artifacts.ts'
import { linkIn, type MailSite, mailSiteOfTest, textOf, tokenIn, userWith } from '../support/site-with-mail.ts'
import { type Answer, GOOD_PASSWORD, type Visitor } from '../support/visitor.ts'

const NEW = 'harbour violet kettle'
const OTHER = 'copper meadow lantern'

const ask = (site: MailSite, identifier: string, visitor = site.visitor()) => visitor.api('/forgot-password', { identifier })
const reset = (site: MailSite, token: unknown, password = NEW) => site.visitor().api('/reset-password', { token, password })

/** Asks, and gives the mails that come of it. */
async function mailsFor(site: MailSite, identifier: string) {
  expect((await ask(site, identifier)).status).toBe(202)
  return site.deliver()
}

async function tokenFor(site: MailSite, identifier: string): Promise<string> {
  const [mail] = await mailsFor(site, identifier)
  return mail ? tokenIn(mail) : ''
}

const canLogIn = async (site: MailSite, username: string, password: string) =>
  (await site.visitor().logIn(username, password)).status === 200

const flowIn = ({ text }: Answer) => /name="flow" value="([^"]+)"/.exec(text)?.[1] ?? ''

/** Follows the link of a mail to its form. */
async function open(visitor: Visitor, link: string): Promise<Answer> {
  const { location } = await visitor.get(link)
  return visitor.get(location ?? '')
}

test('from the login page to the new password, with pages alone', async () => {
  const site = await mailSiteOfTest()
  await userWith(site, 'anna')
  const visitor = site.visitor()
  expect((await visitor.get('/login')).text).toContain('href="/forgot-password"')
  expect((await visitor.get('/forgot-password')).text).toContain('name="identifier"')
  const asked = await visitor.form('/forgot-password', { identifier: 'anna' })
  expect([asked.status, asked.location, asked.setCookies]).toEqual([303, '/forgot-password?notice=reset_requested', []])
  expect((await visitor.get(asked.location ?? '')).text).toContain('Look into your mail')
  const [mail] = await site.deliver()
  expect(mail?.to).toEqual(['anna@mail.example'])
  const page = await open(visitor, mail ? linkIn(mail) : '')
  expect([page.status, page.text]).toEqual([200, expect.stringContaining('For the account anna.')])
  const done = await visitor.form('/reset-password', { flow: flowIn(page), password: NEW })
  expect([done.status, done.location]).toEqual([303, '/login?notice=password_reset'])
  expect((await visitor.get(done.location ?? '')).text).toContain('Your new password is set. Log in with it.')
  expect((await visitor.api('/profile')).status).toBe(401)
  expect([await canLogIn(site, 'anna', NEW), await canLogIn(site, 'anna', GOOD_PASSWORD)]).toEqual([true, false])
})

describe('asking for a link', () => {
  test('takes the username in any case, and the proven address', async () => {
    const site = await mailSiteOfTest()
    await userWith(site, 'Anna', { email: 'anna@mail.example' })
    for (const identifier of ['anna', ' ANNA ', 'ａｎｎａ', 'anna@mail.example', 'Anna@Mail.Example']) {
      const mails = await mailsFor(site, identifier)
      expect([identifier, mails.map(({ to }) => to)]).toEqual([identifier, [['anna@mail.example']]])
      expect((await reset(site, mails[0] && tokenIn(mails[0]))).status).toBe(204)
      expect(await site.deliver()).toHaveLength(1)
    }
  })

  test('sends nothing to nobody: an unknown name, a suspended user, one without an address', async () => {
    const site = await mailSiteOfTest()
    await userWith(site, 'closed')
    await site.membership.users.setStatus('closed', 'suspended')
    await site.membership.users.create({ username: 'plain', password: GOOD_PASSWORD })
    for (const identifier of [
      'nobody',
      'nobody@mail.example',
      'closed',
      'closed@mail.example',
      'plain',
      '@',
      'a@b,c@d',
      '\u0000',
    ])
      expect([identifier, await mailsFor(site, identifier)]).toEqual([identifier, []])
  })

  test('G-09 changes nothing for the user: sessions and the old password go on', async () => {
    const site = await mailSiteOfTest()
    await userWith(site, 'anna')
    const visitor = site.visitor()
    await visitor.logIn('anna')
    for (let n = 0; n < 10; n++) await mailsFor(site, 'anna')
    expect((await visitor.api('/profile')).status).toBe(200)
    expect(await canLogIn(site, 'anna', GOOD_PASSWORD)).toBe(true)
  })

  test('of what is asked before the first mail left, one mail comes', async () => {
    const site = await mailSiteOfTest()
    await userWith(site, 'anna')
    const answers = await Promise.all(Array.from({ length: 20 }, () => ask(site, 'anna')))
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([202]))
    expect(await site.deliver()).toHaveLength(1)
  })

  test('a user without a password is told so, and sets one', async () => {
    const site = await mailSiteOfTest()
    const { id } = await userWith(site, 'visitor')
    await inDatabase(site, 'DELETE FROM guildhall_credentials WHERE user_id = ?', id)
    const [mail] = await mailsFor(site, 'visitor')
    expect(mail && textOf(mail)).toContain('The account has no password')
    expect((await reset(site, mail && tokenIn(mail))).status).toBe(204)
    expect(await canLogIn(site, 'visitor', NEW)).toBe(true)
  })

  test('is refused for what is no identifier, and nothing is written', async () => {
    const site = await mailSiteOfTest()
    for (const [input, code] of [
      [{}, 'required'],
      [{ identifier: '' }, 'required'],
      [{ identifier: null }, 'wrong_type'],
      [{ identifier: [] }, 'wrong_type'],
      [{ identifier: {} }, 'wrong_type'],
      [{ identifier: 7 }, 'wrong_type'],
      [{ identifier: 'a'.repeat(255) }, 'too_long'],
    ] as const) {
      const refused = await site.visitor().api('/forgot-password', input)
      expect([refused.status, refused.json()]).toMatchObject([
        422,
        { code: 'invalid_input', errors: [{ field: 'identifier', code }] },
      ])
    }
    expect((await site.visitor().api('/forgot-password', { identifier: 'a'.repeat(1_000_000) })).status).toBe(413)
    expect(await inDatabase(site, 'SELECT * FROM guildhall_mails')).toEqual([])
  })
})

describe('the link', () => {
  test('G-02 is 132 bits, kept as a hash, and over after thirty minutes', async () => {
    const site = await mailSiteOfTest()
    await userWith(site, 'anna')
    const token = await tokenFor(site, 'anna')
    expect(token).toMatch(/^[\w-]{22}$/)
    // On one line of a mail, whatever breaks lines at 76.
    expect(`https://members.example.org/reset-password?token=${token}`.length).toBeLessThan(76)
    const visitor = site.visitor()
    const [early] = [await open(visitor, `/reset-password?token=${token}`)]
    site.clock.forward('30m')
    expect(early.text).toContain('For the account anna.')
    expect((await reset(site, token)).json()).toMatchObject({ status: 422, code: 'invalid_token' })
    expect((await open(visitor, `/reset-password?token=${token}`)).text).toContain('This link does not work')
    expect((await visitor.form('/reset-password', { flow: flowIn(early), password: NEW })).status).toBe(422)
    expect(await canLogIn(site, 'anna', GOOD_PASSWORD)).toBe(true)
  })

  test('G-04 three are live at most, any of them works, and with it all die', async () => {
    const site = await mailSiteOfTest()
    await userWith(site, 'anna')
    const tokens: string[] = []
    for (let n = 0; n < 3; n++) tokens.push(await tokenFor(site, 'anna'))
    expect(new Set(tokens).size).toBe(3)
    expect(await mailsFor(site, 'anna')).toEqual([])
    const [, second, third] = tokens
    expect((await reset(site, second)).status).toBe(204)
    for (const token of tokens) expect((await reset(site, token, OTHER)).status).toBe(422)
    expect([await canLogIn(site, 'anna', NEW), third]).toEqual([true, tokens[2]])
  })

  test('G-04 dies with any other change of the password, and with the address that it was mailed to', async () => {
    const site = await mailSiteOfTest()
    const { id } = await userWith(site, 'anna')
    const first = await tokenFor(site, 'anna')
    const visitor = site.visitor()
    await visitor.logIn('anna')
    await visitor.api('/account/password', { currentPassword: GOOD_PASSWORD, newPassword: NEW })
    expect((await reset(site, first, OTHER)).status).toBe(422)
    await site.deliver()
    const second = await tokenFor(site, 'anna')
    await inDatabase(site, "UPDATE guildhall_users SET email = 'n@x.example', email_key = 'n@x.example' WHERE id = ?", id)
    expect((await reset(site, second, OTHER)).status).toBe(422)
    expect(await canLogIn(site, 'anna', NEW)).toBe(true)
  })

  test('a password that is refused does not use it up, and the form comes again without it', async () => {
    const site = await mailSiteOfTest()
    await userWith(site, 'anna')
    const token = await tokenFor(site, 'anna')
    for (const [password, code] of [
      ['short', 'too_short'],
      ['password123', 'too_common'],
      ['anna1234', 'too_personal'],
      ['x'.repeat(257), 'too_long'],
    ] as const)
      expect((await reset(site, token, password)).json()).toMatchObject({
        code: 'invalid_input',
        errors: [{ field: 'password', code }],
      })
    const visitor = site.visitor()
    const page = await open(visitor, `/reset-password?token=${token}`)
    const refused = await visitor.form('/reset-password', { flow: flowIn(page), password: 'password123' })
    expect(refused.status).toBe(422)
    expect([flowIn(refused), refused.text.includes(token), refused.text.includes('password123')]).toEqual([
      flowIn(page),
      false,
      false,
    ])
    // Also in the other language.
    expect(refused.text).toContain(`value="/reset-password?flow=${flowIn(page)}"`)
    expect((await visitor.form('/reset-password', { flow: flowIn(refused), password: NEW })).status).toBe(303)
  })

  test('says that it is dead when it is opened, and offers a new one', async () => {
    const site = await mailSiteOfTest()
    await userWith(site, 'anna')
    const token = await tokenFor(site, 'anna')
    await reset(site, token)
    const page = await open(site.visitor(), `/reset-password?token=${token}`)
    expect(page.text).toContain('This link does not work')
    expect(page.text).toContain('action="/forgot-password"')
    expect(page.text).not.toContain('type="password"')
  })

  test('is dead for a user who was suspended meanwhile', async () => {
    const site = await mailSiteOfTest()
    await userWith(site, 'anna')
    const token = await tokenFor(site, 'anna')
    await inDatabase(site, "UPDATE guildhall_users SET status = 'suspended' WHERE username = 'anna'")
    expect((await reset(site, token)).json()).toMatchObject({ code: 'invalid_token' })
    expect((await open(site.visitor(), `/reset-password?token=${token}`)).text).toContain('This link does not work')
  })
})

describe('the new password', () => {
  test('G-11 G-12 ends every session, logs nobody in, and one mail without a secret says that it was set', async () => {
    const site = await mailSiteOfTest()
    await userWith(site, 'anna')
    const [visitor, other] = [site.visitor(), site.visitor()]
    await visitor.logIn('anna')
    await other.logIn('anna', GOOD_PASSWORD, { remember: true })
    const reported: string[] = []
    site.membership.on('password_changed', ({ user }) => void reported.push(user.username))
    const token = await tokenFor(site, 'anna')
    const done = await visitor.api('/reset-password', { token, password: NEW })
    expect([done.status, done.text]).toEqual([204, ''])
    for (const one of [visitor, other]) expect((await one.api('/profile')).status).toBe(401)
    expect([await site.membership.users.sessions('anna'), reported]).toEqual([[], ['anna']])
    const mails = await site.deliver()
    expect(mails.map(({ to }) => to)).toEqual([['anna@mail.example']])
    expect(mails[0]?.parsed.text).toMatch(/password/i)
    for (const secret of [token, NEW, GOOD_PASSWORD]) expect(String(mails[0]?.bytes)).not.toContain(secret)
    await other.logIn('anna', NEW)
    expect((await other.get('/account/security')).text).toContain('A new password was set by a link from a mail')
  })

  test('lets somebody in at once whom the wrong guesses of others had locked out', async () => {
    const site = await mailSiteOfTest({ rateLimit: true })
    await userWith(site, 'anna')
    for (let n = 0; n < 6; n++) await site.visitor().logIn('anna', 'not the password')
    expect((await site.visitor().logIn('anna')).status).toBe(429)
    expect((await reset(site, await tokenFor(site, 'anna'))).status).toBe(204)
    expect((await site.visitor().logIn('anna', NEW)).status).toBe(200)
  })

  test('A-16 the same password set once more has another hash', async () => {
    const site = await mailSiteOfTest()
    const { id } = await userWith(site, 'anna')
    const hashOf = async () => (await inDatabase(site, 'SELECT data FROM guildhall_credentials WHERE user_id = ?', id))[0]?.data
    const before = await hashOf()
    expect((await reset(site, await tokenFor(site, 'anna'), GOOD_PASSWORD)).status).toBe(204)
    expect(await hashOf()).not.toBe(before)
    expect(await canLogIn(site, 'anna', GOOD_PASSWORD)).toBe(true)
  })
})

describe('an address that nobody has proven', () => {
  const used = (site: MailSite, username: string) =>
    inDatabase(site, 'UPDATE guildhall_users SET used_at = created_at WHERE username = ?', username)

  test('E-12 of an account that nobody has used: the link proves it, and what the squatter had is dead', async () => {
    const site = await mailSiteOfTest()
    const { id } = await userWith(site, 'squat', { email: 'owner@mail.example', isProven: false })
    const squatter = site.visitor()
    await squatter.logIn('squat')
    await inDatabase(site, 'UPDATE guildhall_users SET used_at = NULL WHERE id = ?', id)
    await inDatabase(
      site,
      "INSERT INTO guildhall_credentials (id, user_id, kind, data, created_at, changed_at) VALUES ('x', ?, 'passkey', '{}', 1, 1)",
      id,
    )
    const token = await tokenFor(site, 'owner@mail.example')
    expect((await reset(site, token)).status).toBe(204)
    const [user] = await inDatabase(site, 'SELECT email_verified_at FROM guildhall_users WHERE id = ?', id)
    expect(user?.email_verified_at).toBeTypeOf('number')
    expect(await inDatabase(site, "SELECT id FROM guildhall_credentials WHERE kind <> 'password'")).toEqual([])
    expect((await squatter.api('/profile')).status).toBe(401)
    expect([await canLogIn(site, 'squat', GOOD_PASSWORD), await canLogIn(site, 'squat', NEW)]).toEqual([false, true])
  })

  test('E-12 of an account in use, or with a role: the mail has no link that opens it', async () => {
    const site = await mailSiteOfTest()
    await userWith(site, 'in-use', { email: 'typo@mail.example', isProven: false })
    await used(site, 'in-use')
    await userWith(site, 'chief', { email: 'chief@mail.example', isProven: false })
    await inDatabase(site, `UPDATE guildhall_users SET roles = '["admin"]' WHERE username = 'chief'`)
    for (const [identifier, to] of [
      ['typo@mail.example', 'typo@mail.example'],
      ['in-use', 'typo@mail.example'],
      ['chief', 'chief@mail.example'],
    ]) {
      const [mail, ...more] = await mailsFor(site, identifier ?? '')
      expect([mail?.to, more]).toEqual([[to], []])
      expect(mail && linkIn(mail)).toBe('')
      expect(mail && textOf(mail)).toContain('names this address')
    }
    expect(await inDatabase(site, 'SELECT * FROM guildhall_tokens')).toEqual([])
  })

  test('E-12 an account that came into use after its link was mailed keeps its password', async () => {
    const site = await mailSiteOfTest()
    await userWith(site, 'late', { isProven: false })
    const token = await tokenFor(site, 'late')
    await used(site, 'late')
    expect((await reset(site, token)).json()).toMatchObject({ code: 'invalid_token' })
    expect(await canLogIn(site, 'late', GOOD_PASSWORD)).toBe(true)
  })

  test('claimed by several: a mail for each, those in use first, five at most; none once somebody has proven it', async () => {
    const site = await mailSiteOfTest()
    const email = 'shared@mail.example'
    for (const name of ['one', 'two', 'three', 'four', 'five', 'six', 'seven']) {
      await userWith(site, name.padEnd(3, '-x'), { email, isProven: false })
      site.clock.forward('1s')
    }
    await used(site, 'seven')
    const mails = await mailsFor(site, email)
    const named = mails.map((mail) => /The account (\w+)|the account (\w+)/.exec(textOf(mail))?.slice(1).join(''))
    expect(new Set(named)).toEqual(new Set(['seven', 'one', 'two', 'three', 'four']))
    expect(mails.filter((mail) => linkIn(mail) === '')).toHaveLength(1)
    await userWith(site, 'prover', { email })
    const [only, ...others] = await mailsFor(site, email)
    expect([only && textOf(only).includes('prover'), others]).toEqual([true, []])
  })
})

describe('an operator', () => {
  test('has a link mailed, also to an address that nobody has proven, and never sees it', async () => {
    const site = await mailSiteOfTest()
    const { id } = await userWith(site, 'in-use', { isProven: false })
    await inDatabase(site, 'UPDATE guildhall_users SET used_at = created_at WHERE id = ?', id)
    const sent = await site.membership.users.sendReset('in-use')
    expect(sent).toMatchObject({ username: 'in-use', problem: undefined })
    const [mail] = await site.deliver()
    expect(mail && textOf(mail)).toContain('Whoever runs Guildhall sends you a link')
    expect(JSON.stringify(sent)).not.toContain(mail && tokenIn(mail))
    expect((await reset(site, mail && tokenIn(mail))).status).toBe(204)
    expect(await canLogIn(site, 'in-use', NEW)).toBe(true)
  })

  test('is told why there is none', async () => {
    const site = await mailSiteOfTest()
    await userWith(site, 'closed')
    await site.membership.users.setStatus('closed', 'suspended')
    await site.membership.users.create({ username: 'plain', password: GOOD_PASSWORD })
    const problems = await Promise.all(
      ['closed', 'plain'].map(async (name) => (await site.membership.users.sendReset(name)).problem),
    )
    expect([problems, await site.deliver()]).toEqual([['suspended', 'no_address'], []])
    await expect(site.membership.users.sendReset('nobody')).rejects.toMatchObject({ code: 'not_found' })
  })
})

test('several mails and a login in one browser never act on each other’s account', async () => {
  const site = await mailSiteOfTest()
  for (const name of ['anna', 'bert', 'cora']) await userWith(site, name)
  const visitor = site.visitor()
  await visitor.logIn('cora')
  const pages: Record<string, Answer> = {}
  for (const name of ['anna', 'bert']) {
    const [mail] = await mailsFor(site, name)
    pages[name] = await open(visitor, mail ? linkIn(mail) : '')
  }
  expect(pages.anna?.text).toContain('For the account anna.')
  await visitor.form('/reset-password', { flow: pages.anna ? flowIn(pages.anna) : '', password: NEW })
  expect([await canLogIn(site, 'anna', NEW), await canLogIn(site, 'bert', GOOD_PASSWORD)]).toEqual([true, true])
  expect((await visitor.api('/profile')).json()).toMatchObject({ user: { username: 'cora' } })
  await visitor.form('/reset-password', { flow: pages.bert ? flowIn(pages.bert) : '', password: OTHER })
  expect([
    await canLogIn(site, 'anna', NEW),
    await canLogIn(site, 'bert', OTHER),
    await canLogIn(site, 'cora', GOOD_PASSWORD),
  ]).toEqual([true, true, true])
  expect((await visitor.api('/profile')).json()).toMatchObject({ user: { username: 'cora' } })
})

test('without mail, and with EMAIL off, there is no link and no page', async () => {
  for (const options of [
    { production: true, baseUrl: 'https://x.example', secret: 'x'.repeat(32), passwords: { memoryKiB: 19_456, passes: 2 } },
    { email: 'off' },
  ] as const) {
    const site = await siteOfTest({ ...options, ...('production' in options && { rateLimit: true }) })
    const visitor = site.visitor()
    expect((await visitor.get('/login')).text).not.toContain('forgot')
    for (const path of ['/forgot-password', '/reset-password', '/api/forgot-password', '/api/reset-password'])
      expect((await visitor.get(path)).status).toBe(404)
    expect(JSON.stringify(site.membership.openapi())).not.toContain('reset-password')
  }
})
