// A member logs out: in any state, and only by asking for it.
import { afterAll, beforeAll, expect, test } from 'vitest'
import { openSite, type Site } from '../support/site.ts'

let site: Site

beforeAll(async () => {
  site = await openSite()
})

afterAll(() => site.close())

test('D-21 logging out works in any state, as often as asked', async () => {
  const visitor = site.visitor()
  for (let round = 0; round < 3; round++) expect((await visitor.api('/logout', {})).status).toBe(204)
})

test('opening the logout page changes nothing', async () => {
  const visitor = site.visitor()
  await visitor.register('fritz')
  expect((await visitor.get('/logout')).status).toBe(200)
  expect((await visitor.api('/profile')).status).toBe(200)
})
