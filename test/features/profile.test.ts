// A member sees and changes their profile.
import { afterAll, beforeAll, expect, test } from 'vitest'
import { openSite, type Site } from '../support/site.ts'

let site: Site

beforeAll(async () => {
  site = await openSite()
})

afterAll(() => site.close())

test('the profile changes, and an empty name is the username again', async () => {
  const visitor = site.visitor()
  await visitor.register('paula')
  expect((await visitor.api('/profile', { displayName: ' Paula P. ' })).json()).toMatchObject({
    user: { displayName: 'Paula P.' },
  })
  expect((await visitor.api('/profile')).json()).toMatchObject({ user: { displayName: 'Paula P.' } })
  expect((await visitor.api('/profile', { displayName: '' })).json()).toMatchObject({ user: { displayName: 'paula' } })
  expect((await visitor.api('/profile', { displayName: 'x'.repeat(65) })).status).toBe(422)
})
