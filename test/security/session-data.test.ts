// What an application keeps in a session is data and nothing else, also under names that an attacker chose.
import { expect, test } from 'vitest'
import { siteOfTest } from '../support/artifacts.ts'
import { memberOf } from '../support/members.ts'

test('D-30 no name in a session reaches a prototype or the session itself', async () => {
  const site = await siteOfTest({
    routes: (app) => {
      app.post('/bag/:name', (req, res) => {
        const { name } = req.params
        const bag: Record<string, Record<string, string> | undefined> = Object(req.session)
        try {
          bag[name] = { polluted: 'yes' }
          // As `session.cart[key] = value` does with two names from an attacker.
          for (const inner of ['__proto__', 'prototype', 'constructor']) Object.assign(bag[name] ?? {}, { [inner]: 'x' })
          res.json({})
        } catch {
          res.sendStatus(400)
        }
      })
      app.get('/bag/:name', (req, res) => {
        const found = Object.getOwnPropertyDescriptor(req.session, req.params.name)?.value
        res.json({ found: found ?? null, isLoggedIn: req.session.isLoggedIn, plain: Reflect.get({}, 'polluted') ?? null })
      })
    },
  })
  const { visitor } = await memberOf(site, 'anna')
  for (const name of ['__proto__', 'constructor', 'prototype', 'toString', 'hasOwnProperty', 'cart']) {
    expect([name, (await visitor.form(`/bag/${name}`, {})).status]).toEqual([name, 200])
    const { found, ...rest } = (await visitor.get(`/bag/${name}`)).json<{ found: object }>()
    expect([name, found]).toMatchObject([name, { polluted: 'yes' }])
    expect(rest).toEqual({ isLoggedIn: true, plain: null })
  }
  for (const name of ['cookie', 'id', 'save', 'destroy', 'regenerate', 'isLoggedIn', 'username']) {
    expect([name, (await visitor.form(`/bag/${name}`, {})).status]).toEqual([name, 400])
    expect((await visitor.api('/profile')).status).toBe(200)
  }
  expect(Reflect.get({}, 'polluted')).toBeUndefined()
})
