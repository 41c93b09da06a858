// examples/own-pages: a site's own layout and profile, and the membership's pages in its colours.
import { expect, test } from 'vitest'
import { GOOD_PASSWORD, Visitor } from '../support/visitor.ts'
import { runExample } from './example.ts'

test('a singer joins, sees the choir’s own profile page, and leaves', async () => {
  const { base } = await runExample('own-pages')
  const anna = new Visitor(base)
  expect((await anna.get('/')).text).toContain('We sing on Thursdays')
  expect((await anna.get('/profile')).location).toBe('/members/login?returnTo=%2Fprofile')

  const form = { username: 'anna', password: GOOD_PASSWORD }
  const refused = await anna.form('/members/join', { ...form, displayName: 'Anna' })
  expect([refused.status, refused.text]).toEqual([403, expect.stringContaining('We sing by name')])
  expect(refused.text).toContain('value="Anna"')
  await anna.form('/members/join', { ...form, displayName: 'Anna <Alto>' })

  expect((await anna.get('/profile')).text).toContain('Good evening, Anna &lt;Alto&gt;')
  expect((await anna.get('/profile')).text).toContain('visit number 2')
  expect((await anna.get('/members/account/security')).text).toContain('Harbour Choir')
  await anna.form('/members/logout', {})
  expect((await anna.get('/')).text).toContain('Join')
})

test('the membership’s pages have the choir’s name and colour, and those it left out are not there', async () => {
  const { base } = await runExample('own-pages')
  const visitor = new Visitor(base)
  const { text } = await visitor.get('/members/join')
  expect(text).toContain('<span>Harbour Choir</span>')
  const [, sheet = ''] = /href="([^"]+\.css)"/.exec(text) ?? []
  expect((await visitor.get(sheet)).text).toContain(':root { --hue: 245;')
  for (const path of ['/members/profile', '/members/api/profile', '/members/register', '/login'])
    expect((await visitor.get(path)).status).toBe(404)
})
