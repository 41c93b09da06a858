// Proving a mail address: by the link or the code of a mail, together with the account, and by nobody else.
import { describe, expect, test } from 'vitest'
import { allRows, inDatabase } from '../support/database-inspector.ts'
import type { SiteOptions } from '../support/site.ts'
import { linkIn, type MailSite, mailSiteOfTest, textOf, tokenIn, userWith } from '../support/site-with-mail.ts'
import type { TakenMail } from '../support/smtp.ts'
import { GOOD_PASSWORD, type Visitor } from '../support/visitor.ts'

interface Registered {
  readonly site: MailSite
  /** Logged in. */
  readonly anna: Visitor
  readonly mail: TakenMail
}

const ADDRESS = 'anna@mail.example'

async function registered(options: SiteOptions = {}): Promise<Registered> {
  const site = await mailSiteOfTest(options)
  const anna = site.visitor()
  await anna.api('/register', { username: 'anna', password: GOOD_PASSWORD, email: ADDRESS })
  return { site, anna, mail: await onlyMail(site) }
}

async function onlyMail(site: MailSite): Promise<TakenMail> {
  const [mail, ...more] = await site.deliver()
  if (!mail || more.length > 0) throw new Error(`${mail ? more.length + 1 : 0} mails came`)
  return mail
}

function codeIn(mail: TakenMail): string {
  return /\b[A-Z]{4}-[A-Z]{4}\b/.exec(textOf(mail))?.[0] ?? ''
}

const isProven = async (site: MailSite, username = 'anna') => (await site.membership.users.find(username))?.emailVerified

const sessionsOf = async (site: MailSite, username = 'anna') => (await site.membership.users.sessions(username)).length

/** The page that a link leads to in this browser, and the number of its flow. */
async function open(visitor: Visitor, mail: TakenMail) {
  const { location, status } = await visitor.get(linkIn(mail))
  expect(status).toBe(303)
  const page = await visitor.get(location ?? '')
  const flow = /name="flow" value="([^"]+)"/.exec(page.text)?.[1] ?? ''
  return { page, flow, path: location ?? '' }
}

describe('a link', () => {
  test('comes after a registration, with a code, and proves the address in the browser that is logged in', async () => {
    const { site, anna, mail } = await registered()
    expect(mail.to).toEqual([ADDRESS])
    expect(codeIn(mail)).not.toBe('')
    const { page, flow } = await open(anna, mail)
    expect(page.text).toContain('Is this your address?')
    expect(page.text).not.toContain('type="password"')
    const proven = await anna.form('/verify-email', { flow })
    expect([proven.status, proven.location]).toEqual([303, '/account/security?notice=email_verified'])
    expect((await anna.get(proven.location ?? '')).text).toContain('Your mail address is proven.')
    expect((await anna.api('/profile')).json()).toMatchObject({ user: { email: ADDRESS, emailVerified: true } })
    expect((await site.visitor().logIn(ADDRESS)).status).toBe(200)
  })

  test('proves it with the password in a browser that nobody is logged in with, and logs nobody in', async () => {
    const { site, mail } = await registered()
    const elsewhere = site.visitor()
    const { page, flow } = await open(elsewhere, mail)
    expect(page.text).toContain('Is this your account?')
    const wrong = await elsewhere.form('/verify-email', { flow, password: 'wrong, all wrong' })
    expect([wrong.status, wrong.text.includes('The link stays good')]).toEqual([401, true])
    expect(await isProven(site)).toBe(false)
    const proven = await elsewhere.form('/verify-email', { flow, password: GOOD_PASSWORD })
    expect([proven.status, proven.location]).toEqual([303, '/login?notice=email_verified_log_in'])
    expect(await isProven(site)).toBe(true)
    expect((await elsewhere.api('/profile')).status).toBe(401)
  })

  test('E-09 opened and looked at however often, also by a program that presses the button, it changes nothing', async () => {
    const { site, anna, mail } = await registered()
    const scanner = site.visitor()
    for (let n = 0; n < 5; n++) {
      await scanner.send(linkIn(mail), { method: 'HEAD' })
      const { flow } = await open(scanner, mail)
      expect((await scanner.form('/verify-email', { flow })).status).toBe(303)
      expect((await scanner.form('/verify-email', { flow, password: '' })).status).toBe(422)
      const pressed = await site.visitor().api('/verify-email', { token: tokenIn(mail) })
      expect([pressed.status, pressed.json().code]).toEqual([401, 'login_required'])
    }
    expect(await isProven(site)).toBe(false)
    expect((await anna.api('/verify-email', { token: tokenIn(mail) })).status).toBe(204)
    expect(await isProven(site)).toBe(true)
  })

  test('in the session of another account says so, proves nothing and stays good', async () => {
    const { site, anna, mail } = await registered()
    const berta = site.visitor()
    await berta.register('berta')
    const { page, path } = await open(berta, mail)
    expect(page.text).toContain('This link is for another account')
    expect(page.text).toContain('you are logged in as berta')
    const flow = new URL(path, site.base).searchParams.get('flow') ?? ''
    expect((await berta.form('/verify-email', { flow, password: GOOD_PASSWORD })).status).toBe(303)
    const refused = await berta.api('/verify-email', { token: tokenIn(mail), password: GOOD_PASSWORD })
    expect([refused.status, refused.json().code]).toEqual([401, 'login_required'])
    expect([await isProven(site), await isProven(site, 'berta')]).toEqual([false, false])
    expect((await anna.api('/verify-email', { token: tokenIn(mail) })).status).toBe(204)
  })

  test('E-08 works once, is no link to another thing, and dies after a day', async () => {
    const { site, anna, mail } = await registered()
    const token = tokenIn(mail)
    expect((await site.visitor().api('/reset-password', { token, password: 'harbour violet kettle' })).status).toBe(422)
    expect(JSON.stringify(await allRows(site))).not.toContain(token)
    expect((await anna.api('/verify-email', { token })).status).toBe(204)
    const again = await anna.api('/verify-email', { token })
    expect([again.status, again.json().code]).toEqual([422, 'invalid_token'])
    expect((await anna.get(linkIn(mail))).location).toBe('/verify-email')
    expect((await anna.get('/verify-email')).text).toContain('Your address is proven')

    const late = await registered()
    late.site.clock.forward('25h')
    await late.anna.logIn('anna')
    expect((await late.anna.api('/verify-email', { token: tokenIn(late.mail) })).status).toBe(422)
    expect((await late.site.visitor().get('/verify-email')).text).toContain('This link cannot be used')
  })

  test('E-11 of a hundred uses at once one proves the address', async () => {
    const { site, anna, mail } = await registered()
    const uses = await Promise.all(Array.from({ length: 100 }, () => anna.api('/verify-email', { token: tokenIn(mail) })))
    expect(uses.filter(({ status }) => status === 204)).toHaveLength(1)
    expect(new Set(uses.map(({ status }) => status))).toEqual(new Set([204, 422]))
    const entries = await inDatabase(site, "SELECT 1 AS one FROM guildhall_audit WHERE event = 'email_verified'")
    expect(entries).toHaveLength(1)
  })

  test('of ten accounts that prove one address a hundred times at once one does, and no other names it any more', {
    timeout: 60_000,
  }, async () => {
    const site = await mailSiteOfTest()
    const tokens: { visitor: Visitor; token: string }[] = []
    for (let n = 0; n < 10; n++) {
      const visitor = site.visitor()
      await visitor.api('/register', { username: `claim-${n}`, password: GOOD_PASSWORD, email: ADDRESS })
      tokens.push({ visitor, token: tokenIn(await onlyMail(site)) })
    }
    const uses = await Promise.all(
      Array.from({ length: 10 }, () => tokens).flatMap((each) =>
        each.map(({ visitor, token }) => visitor.api('/verify-email', { token })),
      ),
    )
    expect(uses.filter(({ status }) => status === 204)).toHaveLength(1)
    expect(uses.filter(({ status }) => ![204, 422].includes(status))).toEqual([])
    const rows = await inDatabase(site, 'SELECT email_verified_at AS at FROM guildhall_users WHERE email_key = ?', ADDRESS)
    expect(rows).toHaveLength(1)
    expect(rows[0]?.at).not.toBeNull()
  })

  test('counts a password as a login', async () => {
    const { site, mail } = await registered({ rateLimit: true })
    const elsewhere = site.visitor()
    const tryWith = (password: string) => elsewhere.api('/verify-email', { token: tokenIn(mail), password })
    for (let n = 0; n < 5; n++) expect((await tryWith('wrong, all wrong')).status).toBe(401)
    expect((await tryWith(GOOD_PASSWORD)).status).toBe(429)
    expect((await elsewhere.logIn('anna')).status).toBe(429)
    expect(await isProven(site)).toBe(false)
  })

  test('of a suspended account proves nothing', async () => {
    const { site, mail } = await registered()
    await site.membership.users.setStatus('anna', 'suspended')
    const refused = await site.visitor().api('/verify-email', { token: tokenIn(mail), password: GOOD_PASSWORD })
    expect([refused.status, await isProven(site)]).toEqual([422, false])
  })

  test('E-17 that is blank, absent or wrong matches nothing, and no row changes', async () => {
    const { site, anna } = await registered()
    const before = await inDatabase(site, 'SELECT * FROM guildhall_users')
    for (const token of ['', null, undefined, [], {}, 0, ['x'], { $ne: null }, 'x', 'A'.repeat(22), ' ', '\u0000'])
      for (const path of ['/verify-email', '/verify-email/disown']) {
        const refused = await anna.api(path, { token })
        expect([token, refused.status]).toEqual([token, 422])
      }
    for (const code of ['', null, [], {}, 7]) expect((await anna.api('/verify-email', { code })).status).toBe(422)
    expect(await inDatabase(site, 'SELECT * FROM guildhall_users')).toEqual(before)
  })
})

describe('a code', () => {
  test('is typed in the browser that is logged in, while the link was opened elsewhere', async () => {
    const { site, anna, mail } = await registered()
    await open(site.visitor(), mail)
    expect((await anna.get('/verify-email')).text).toContain('name="code"')
    const wrong = await anna.form('/verify-email', { code: 'BBBB-BBBB' })
    expect([wrong.status, wrong.text.includes('BBBB')]).toEqual([401, false])
    const proven = await anna.form('/verify-email', { code: codeIn(mail).toLowerCase().replace('-', ' ') })
    expect([proven.status, await isProven(site)]).toEqual([303, true])
    // The link is the same one-time thing.
    expect((await anna.api('/verify-email', { token: tokenIn(mail) })).status).toBe(422)
  })

  test('E-10 is guessed at five times at most, however many at once, and is then dead', async () => {
    const { site, anna, mail } = await registered()
    const right = codeIn(mail)
    const wrong = right.startsWith('B') ? 'CCCC-CCCC' : 'BBBB-BBBB'
    const tries = await Promise.all(Array.from({ length: 100 }, () => anna.api('/verify-email', { code: wrong })))
    expect(new Set(tries.map(({ status }) => status))).toEqual(new Set([401]))
    expect((await anna.api('/verify-email', { code: right })).status).toBe(401)
    expect(await isProven(site)).toBe(false)
    // The link beside it stays good: nobody else's guesses take it away.
    expect((await anna.api('/verify-email', { token: tokenIn(mail) })).status).toBe(204)
  })

  test('is nobody else’s, and needs a login', async () => {
    const { site, mail } = await registered()
    expect((await site.visitor().api('/verify-email', { code: codeIn(mail) })).json().code).toBe('login_required')
    const berta = site.visitor()
    await berta.register('berta')
    expect((await berta.api('/verify-email', { code: codeIn(mail) })).json().code).toBe('invalid_code')
    expect(await isProven(site)).toBe(false)
  })
})

describe('whoever reads the mail and did not register', () => {
  test('takes the address from the account by a button, and its sessions end', async () => {
    const { site, anna, mail } = await registered()
    const owner = site.visitor()
    const { flow } = await open(owner, mail)
    const disowned = await owner.form('/verify-email/disown', { flow })
    expect([disowned.status, disowned.location]).toEqual([303, '/login?notice=email_disowned'])
    expect(await site.membership.users.find('anna')).toMatchObject({ email: undefined, emailVerified: false })
    expect((await anna.api('/profile')).status).toBe(401)
    expect(await sessionsOf(site)).toBe(0)
    // The account stays, without the address.
    expect((await site.visitor().logIn('anna')).status).toBe(200)
    expect((await site.visitor().api('/verify-email/disown', { token: tokenIn(mail) })).status).toBe(422)
  })

  test('E-12 proves it for an account of their own, and the squatter keeps nothing', async () => {
    const site = await mailSiteOfTest()
    const squatter = site.visitor()
    await squatter.api('/register', { username: 'squatter', password: GOOD_PASSWORD, email: ADDRESS })
    const stolen = await onlyMail(site)
    // In use, as the squatter comes back.
    await squatter.logIn('squatter')

    const owner = site.visitor()
    await owner.api('/register', { username: 'anna', password: 'harbour violet kettle', email: 'ANNA@mail.example' })
    expect((await owner.api('/verify-email', { token: tokenIn(await onlyMail(site)) })).status).toBe(204)
    expect(await site.membership.users.find('squatter')).toMatchObject({ email: undefined, emailVerified: false })
    expect(await site.membership.users.find('anna')).toMatchObject({ email: 'ANNA@mail.example', emailVerified: true })
    for (const answer of [
      await squatter.api('/verify-email', { token: tokenIn(stolen) }),
      await squatter.api('/verify-email', { code: codeIn(stolen) }),
      await site.visitor().api('/verify-email/disown', { token: tokenIn(stolen) }),
      await site.visitor().logIn(ADDRESS, GOOD_PASSWORD),
    ])
      expect(answer.status).toBeGreaterThanOrEqual(400)
    expect((await site.visitor().logIn(ADDRESS, 'harbour violet kettle')).status).toBe(200)
    // A mail to the address opens the owner's account alone.
    await site.visitor().api('/forgot-password', { identifier: ADDRESS })
    expect(textOf(await onlyMail(site))).toContain('anna')
  })
})

describe('asking again', () => {
  test('E-18 brings a mail, five in an hour at most, and always the same answer', async () => {
    const { site, anna } = await registered({ rateLimit: true })
    const answers: string[] = []
    let mails = 1
    for (let n = 0; n < 50; n++) {
      const { status, text } = await anna.api('/verify-email/resend', {})
      answers.push(`${status} ${text}`)
      mails += (await site.deliver()).length
    }
    expect(new Set(answers)).toEqual(new Set(['202 ']))
    expect(mails).toBeLessThanOrEqual(5)
    expect(mails).toBeGreaterThanOrEqual(2)
  })

  test('B-05 answers and writes the same whether the address is free, claimed, proven by somebody else, proven, or none', async () => {
    const site = await mailSiteOfTest()
    await userWith(site, 'berta', { email: 'taken@mail.example' })
    await userWith(site, 'free', { isProven: false })
    await userWith(site, 'late', { email: 'taken@mail.example', isProven: false })
    await userWith(site, 'done')
    await site.membership.users.create({ username: 'none', password: GOOD_PASSWORD })
    const heard = new Set<string>()
    for (const name of ['free', 'late', 'done', 'none']) {
      const visitor = site.visitor()
      await visitor.logIn(name)
      const { status, text } = await visitor.api('/verify-email/resend', {})
      const [row] = await inDatabase(site, "SELECT count(*) AS n FROM guildhall_mails WHERE state = 'waiting'")
      heard.add(`${status} ${text} ${Number(row?.n)}`)
      const mails = await site.deliver()
      const to = { free: ['free@mail.example'], late: ['taken@mail.example'], done: [], none: [] }[name]
      expect(mails.flatMap((mail) => mail.to)).toEqual(to)
    }
    expect([...heard]).toEqual(['202  1'])
  })

  test('E-05 mails go to the address that is stored, to one recipient each', async () => {
    const site = await mailSiteOfTest()
    await userWith(site, 'berta', { email: 'Berta@mail.example' })
    for (const [n, email] of ['BERTA@MAIL.EXAMPLE', 'berta+x@mail.example', 'new@Mail.Example'].entries())
      await site.visitor().api('/register', { username: `user-${n}`, password: GOOD_PASSWORD, email })
    const mails = await site.deliver()
    const stored = await inDatabase(site, 'SELECT email FROM guildhall_users')
    expect(mails.map(({ to }) => to.length)).toEqual([1, 1, 1])
    for (const { to } of mails) expect(stored.map(({ email }) => email)).toContain(to[0])
    expect(mails.flatMap(({ to }) => to)).toContain('Berta@mail.example')
  })

  test('an address that was refused is shown as such, and is tried again by the button', async () => {
    const { site, anna } = await registered()
    await site.membership.users.markUndeliverable('anna')
    expect((await anna.get('/account/security')).text).toContain('A mail server refused this address')
    expect(await site.membership.users.show('anna')).toMatchObject({ emailUndeliverable: true })
    const sent = await anna.form('/verify-email/resend', {})
    expect(sent.location).toBe('/verify-email?notice=verification_sent')
    expect((await onlyMail(site)).to).toEqual([ADDRESS])
    expect((await anna.get('/account/security')).text).not.toContain('A mail server refused this address')
  })
})

test('E-06 E-07 what a stranger typed is text in the mail, and adds no header', async () => {
  const site = await mailSiteOfTest({ siteName: 'Choir, "The" <b>' })
  const address = "o'hara&<x>@mail.example".replace('<x>', '+b')
  await site.visitor().api('/register', { username: 'anna', password: GOOD_PASSWORD, email: address })
  const mail = await onlyMail(site)
  expect(mail.to).toEqual([address])
  expect(mail.parsed.html).toContain('&amp;')
  expect(mail.parsed.html).not.toContain('<b>')
})

test('a site that leaves the feature out still takes addresses, and mails nothing about them', async () => {
  const site = await mailSiteOfTest({ features: { 'email-verification': false } })
  const anna = site.visitor()
  expect((await anna.api('/register', { username: 'anna', password: GOOD_PASSWORD, email: ADDRESS })).status).toBe(201)
  expect(await site.deliver()).toEqual([])
  expect((await anna.get('/verify-email')).status).toBe(404)
  expect((await anna.get('/profile')).text).toContain('not proven yet')
})
