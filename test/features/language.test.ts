// A person reads the site in their own language: asked by the browser, or chosen here or elsewhere.
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openSite, type Site } from '../support/site.ts'
import { type Answer, GOOD_PASSWORD, type Visitor } from '../support/visitor.ts'

const COOKIE = 'guildhall-language=zh-TW; Max-Age=34560000; Path=/; HttpOnly; SameSite=Lax'
const inEnglish = { headers: { 'accept-language': 'en' } }

let site: Site

beforeAll(async () => {
  site = await openSite()
})

afterAll(() => site.close())

function languageOf({ text }: Pick<Answer, 'text'>): string | undefined {
  return /<html lang="([^"]*)">/.exec(text)?.[1]
}

/** The path to which the language switch of a page returns. */
function wayBackOf({ text }: Answer): string | undefined {
  const form = /<form class="language"[\s\S]*?<\/form>/.exec(text)?.[0] ?? ''
  return /name="returnTo" value="([^"]*)"/.exec(form)?.[1]
}

async function member(name: string): Promise<Visitor> {
  const visitor = site.visitor()
  expect((await visitor.register(name)).status).toBe(201)
  return visitor
}

describe('what the browser asks for', () => {
  test.each([
    [undefined, 'en'],
    ['zh-TW,zh;q=0.9,en-US;q=0.8,en;q=0.7', 'zh-TW'],
    ['en;q=0.2, zh-Hant-HK;q=0.9', 'zh-TW'],
    ['zh-TW;q=0, en;q=0.1', 'en'],
    ['zh-CN,zh;q=0.9,en;q=0.8', 'en'],
    ['zh-CN, de', 'zh-TW'],
    ['de, fr;q=0.5', 'en'],
  ])('%s gives %s', async (asked, language) => {
    const answer = await site.visitor().get('/login', { headers: asked === undefined ? {} : { 'accept-language': asked } })
    expect(languageOf(answer)).toBe(language)
    expect(answer.setCookies).toEqual([])
  })

  test('a refusal is explained in it, under the same code', async () => {
    const asked = (language: string) => site.visitor().api('/profile', undefined, { headers: { 'accept-language': language } })
    const [english, chinese] = [(await asked('en')).json(), (await asked('zh-TW')).json()]
    expect(chinese).toMatchObject({ code: english.code, type: english.type, status: english.status, title: '請先登入' })
    const wrong = await site.visitor().api('/register', { username: 'a' }, { headers: { 'accept-language': 'zh-TW' } })
    expect(wrong.json().errors).toEqual([{ field: 'password', code: 'required', message: '請填寫這個欄位。' }])
  })

  test('where it is none of ours the setting decides', async () => {
    const internals = await openSite({ locale: 'zh-TW' })
    expect(languageOf(await internals.visitor().get('/login', { headers: { 'accept-language': 'de' } }))).toBe('zh-TW')
    expect(languageOf(await internals.visitor().get('/login', inEnglish))).toBe('en')
    await internals.close()
  })
})

describe('the switch on every page', () => {
  test('a visitor changes the language, stays where they are, and is remembered by this browser', async () => {
    const visitor = site.visitor()
    const before = await visitor.get('/login?returnTo=%2Fdiary%3Fday%3D3&notice=logged_out', inEnglish)
    const offered = before.text.replace(/&#(\d+);/g, (_, code: string) => String.fromCodePoint(Number(code)))
    expect(offered).toMatch(/<button[^>]* name="locale" value="zh-TW" lang="zh-TW">[\s\S]*繁體中文/)
    expect(wayBackOf(before)).toBe('/login?returnTo=%2Fdiary%3Fday%3D3')
    const chosen = await visitor.form('/language', { locale: 'zh-TW', returnTo: wayBackOf(before) ?? '' })
    expect([chosen.status, chosen.location, chosen.setCookies]).toEqual([303, wayBackOf(before), [COOKIE]])
    const after = await visitor.get(chosen.location ?? '', inEnglish)
    expect(languageOf(after)).toBe('zh-TW')
    expect(after.text).toMatch(/value="en" lang="en">[\s\S]*English/)
    expect(after.setCookies).toEqual([])
  })

  test('a form that came back leads to its own page, with its way onward', async () => {
    const refused = await site.visitor().form('/login', { username: 'nobody', password: 'x', returnTo: '/diary' })
    expect(refused.status).toBe(401)
    expect(wayBackOf(refused)).toBe('/login?returnTo=%2Fdiary')
    expect(wayBackOf(await site.visitor().form('/register', { username: 'x' }))).toBe('/register')
  })

  test('a refused write that has no page leads to the page that it came from', async () => {
    const visitor = await member('wayback')
    const headers = { referer: `${site.base}/account/security?notice=session_ended` }
    const gone = await visitor.form('/account/sessions/none/end', {}, { headers })
    expect([gone.status, wayBackOf(gone)]).toEqual([404, '/account/security'])
    const foreign = await visitor.form('/account/sessions/none/end', {}, { headers: { referer: 'https://evil.example/x' } })
    expect([foreign.status, wayBackOf(foreign)]).toEqual([404, '/profile'])
  })

  test('where there is only a write the way leads to a page that exists', async () => {
    const visitor = await member('wanderer')
    for (const path of ['/language', '/account/sessions/none/end', '/account/sessions/end-others']) {
      const opened = await visitor.get(path)
      expect([path, opened.status, wayBackOf(opened)]).toEqual([path, 405, '/profile'])
    }
    // The error page is at /language itself: the form's `returnTo` has the page before.
    const headers = { referer: `${site.base}/language` }
    const refused = await visitor.form('/language', { locale: 'de', returnTo: '/account/security' }, { headers })
    expect([refused.status, wayBackOf(refused)]).toEqual([422, '/account/security'])
    const chosen = await visitor.form('/language', { locale: 'en', returnTo: wayBackOf(refused) ?? '' }, { headers })
    expect((await visitor.get(chosen.location ?? '')).status).toBe(200)
  })

  test('it leads to no other site, and to the page before where it names none', async () => {
    const choose = (fields: Record<string, string>, referer?: string) =>
      site.visitor().form('/language', { locale: 'en', ...fields }, referer === undefined ? {} : { headers: { referer } })
    expect((await choose({ returnTo: 'https://evil.example/' })).location).toBe('/')
    expect((await choose({ returnTo: '//evil.example' }, `${site.base}/login`)).location).toBe('/login')
    expect((await choose({}, 'https://evil.example/')).location).toBe('/')
  })

  test('a language that is none of ours is refused, and nothing is kept', async () => {
    for (const fields of [{ locale: 'de' }, { locale: '' }, { locale: 'zh-TW; Path=/x' }, {}]) {
      const refused = await site.visitor().form('/language', fields)
      expect([refused.status, refused.setCookies]).toEqual([422, []])
    }
    const elsewhere = { headers: { 'sec-fetch-site': 'cross-site' } }
    expect((await site.visitor().form('/language', { locale: 'zh-TW' }, elsewhere)).setCookies).toEqual([])
  })

  test('over HTTPS the cookie is Secure', async () => {
    const secure = await openSite({ baseUrl: 'https://localhost' })
    const { setCookies } = await secure.visitor().form('/language', { locale: 'zh-TW' })
    expect(setCookies).toEqual([`${COOKIE}; Secure`])
    await secure.close()
  })

  test('a site without the feature has no switch', async () => {
    const internals = await openSite({ features: { language: false } })
    const page = await internals.visitor().get('/login', { headers: { 'accept-language': 'zh-TW' } })
    expect([languageOf(page), page.text.includes('name="locale"')]).toEqual(['zh-TW', false])
    expect((await internals.visitor().form('/language', { locale: 'en' })).status).toBe(404)
    await internals.close()
  })
})

describe('a member', () => {
  test('finds the chosen language in a new browser, after the login', async () => {
    const here = await member('traveller')
    await here.form('/language', { locale: 'zh-TW', returnTo: '/profile' })
    const there = site.visitor()
    expect(languageOf(await there.get('/login', inEnglish))).toBe('en')
    await there.logIn('traveller', GOOD_PASSWORD)
    expect(languageOf(await there.get('/profile', inEnglish))).toBe('zh-TW')
    expect((await there.api('/account/sessions/none/end', {}, inEnglish)).json().title).toBe('這裡什麼都沒有')
  })

  test('a member who chose a language before they registered finds it in a new browser too', async () => {
    const here = site.visitor()
    await here.form('/language', { locale: 'zh-TW' })
    expect((await here.register('settler')).status).toBe(201)
    const there = site.visitor()
    await there.logIn('settler')
    expect(languageOf(await there.get('/profile', inEnglish))).toBe('zh-TW')
    // What the browser asks for is no choice: it stays the browser's.
    const other = site.visitor()
    await other.api('/register', { username: 'asker', password: GOOD_PASSWORD }, { headers: { 'accept-language': 'zh-TW' } })
    expect(languageOf(await other.get('/profile', inEnglish))).toBe('en')
  })

  test('is spoken to in what this browser chose, whatever another one did', async () => {
    const here = await member('twobrowsers')
    const there = site.visitor()
    await there.logIn('twobrowsers', GOOD_PASSWORD)
    await here.form('/language', { locale: 'en' })
    await there.form('/language', { locale: 'zh-TW' })
    expect(languageOf(await here.get('/profile'))).toBe('en')
    expect(languageOf(await there.get('/profile', inEnglish))).toBe('zh-TW')
  })

  test('sets the language with the profile, at both endpoints', async () => {
    const visitor = await member('profiler')
    const saved = await visitor.api('/profile', { locale: 'zh-TW' })
    expect([saved.status, saved.setCookies]).toEqual([200, [COOKIE]])
    expect(saved.json()).toMatchObject({ user: { displayName: 'profiler' } })
    expect(languageOf(await visitor.get('/profile', inEnglish))).toBe('zh-TW')
    const form = await visitor.form('/profile', { displayName: '林安娜', locale: 'en' })
    expect([form.status, form.location]).toEqual([303, '/profile?notice=profile_saved'])
    expect(languageOf(await visitor.get('/profile', { headers: { 'accept-language': 'zh-TW' } }))).toBe('en')
    const refused = await visitor.api('/profile', { displayName: 'Other', locale: 'de' })
    expect(refused.status).toBe(422)
    expect(refused.json().errors).toMatchObject([{ field: 'locale', code: 'unknown_choice' }])
    expect((await visitor.api('/profile')).json()).toMatchObject({ user: { displayName: '林安娜' } })
  })
})

test('every page is there in every language, with nothing left of the other', async () => {
  const visitor = await member('reader')
  const pages = [
    '/login',
    '/register',
    '/logout',
    '/profile',
    '/account/security',
    '/account/password',
    '/reauthenticate',
    '/language',
  ]
  for (const [locale, foreign] of [
    ['en', /\p{Script=Han}/u],
    ['zh-TW', /\b(?:the|your|log|account|error|password)\b/i],
  ] as const) {
    for (const who of [visitor, site.visitor()]) {
      for (const path of pages) {
        const { text } = await who.get(path, { headers: { 'accept-language': locale } })
        if (text === '') continue
        const seen = text.replace(/<form class="language"[\s\S]*?<\/form>/, '').replace(/<[^>]*>/g, ' ')
        expect([path, languageOf({ text }), foreign.exec(seen)?.[0]]).toEqual([path, locale, undefined])
      }
    }
  }
})
