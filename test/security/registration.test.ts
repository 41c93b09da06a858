// An account has exactly what its owner may choose, and a name belongs to one account, however it is asked for.
import { describe, expect, test } from 'vitest'
import { countRows, inDatabase, siteOfTest } from '../support/artifacts.ts'
import { GOOD_PASSWORD } from '../support/visitor.ts'

const GREED = {
  role: 'admin',
  roles: ['admin'],
  isAdmin: true,
  admin: true,
  id: '00000000-0000-4000-8000-000000000000',
  userId: '00000000-0000-4000-8000-000000000000',
  user_id: '00000000-0000-4000-8000-000000000000',
  user: { roles: ['admin'], id: 'x' },
  usernameKey: 'mallory',
  username_key: 'mallory',
  status: 'owner',
  emailVerified: true,
  email_verified: 1,
  mfaEnabled: true,
  createdAt: 0,
  created_at: 0,
  credentialEpoch: 99,
  credential_epoch: 99,
  passwordHash: '$argon2id$v=19$m=8,t=1,p=1$AAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAA',
  value: 'x',
  constructor: { prototype: { roles: ['admin'] } },
  prototype: { roles: ['admin'] },
  path: '/x',
}

/** `__proto__` as a name of its own, which an object literal cannot say. */
function greedy(fields: object): string {
  const text = JSON.stringify({ ...GREED, ...fields })
  return `${text.slice(0, -1)},"__proto__":{"roles":["admin"],"isAdmin":true,"username":"eve"}}`
}

describe('mass assignment', () => {
  test('E-01 Z-05 whatever else a registration or a profile sends, only the fields of the form are read', async () => {
    const site = await siteOfTest({
      routes: (app, { membership }) =>
        app.get('/admin', membership.requireMember({ role: 'admin' }), (_req, res) => void res.send('gold')),
    })
    const untouched = {
      username: 'anna',
      username_key: 'anna',
      status: 'active',
      credential_epoch: 1,
      roles: '[]',
      created_at: site.clock.now(),
    }
    const rowOf = () => inDatabase(site, 'SELECT * FROM guildhall_users')
    const anna = site.visitor()
    expect((await anna.api('/register', greedy({ username: 'anna', password: GOOD_PASSWORD, displayName: 'Anna' }))).status).toBe(
      201,
    )
    const [row] = await rowOf()
    expect(row).toMatchObject({ ...untouched, display_name: 'Anna' })
    expect(row?.id).not.toBe(GREED.id)

    site.clock.forward('1m')
    expect(
      (await anna.api('/profile', greedy({ username: 'eve', password: 'another password', displayName: 'Anne' }))).status,
    ).toBe(200)
    expect(await rowOf()).toEqual([{ ...row, display_name: 'Anne' }])
    const form = new URLSearchParams({
      displayName: 'Ann',
      roles: 'admin',
      'roles[]': 'admin',
      status: 'owner',
      username: 'eve',
      id: 'x',
      ['__proto__']: 'x',
      'constructor[prototype][roles]': 'admin',
    })
    expect((await anna.form('/profile', form.toString())).status).toBe(303)
    expect(await rowOf()).toEqual([{ ...row, display_name: 'Ann' }])

    expect((await anna.get('/admin')).status).toBe(403)
    expect((await site.visitor().logIn('anna')).status).toBe(200)
    expect((await site.visitor().logIn('eve', 'another password')).status).toBe(401)
    expect(Reflect.get({}, 'isAdmin')).toBeUndefined()
  })

  test('E-01 Z-02 a member changes the own account alone, whatever id is sent along', async () => {
    const site = await siteOfTest()
    const [anna, mallory] = [site.visitor(), site.visitor()]
    const { user } = (await anna.register('anna')).json<{ user: { id: string } }>()
    await mallory.register('mallory')
    const theft = { id: user.id, userId: user.id, user_id: user.id, user, username: 'anna', displayName: 'stolen' }
    expect((await mallory.api(`/profile?id=${user.id}`, theft)).status).toBe(200)
    expect((await anna.api('/profile')).json()).toMatchObject({ user: { displayName: 'anna' } })
    expect((await mallory.api('/profile')).json()).toMatchObject({ user: { username: 'mallory', displayName: 'stolen' } })
  })
})

describe('at the same time', () => {
  test('E-02 of many who ask for one name at once, in whatever case, one gets it and the others are told', async () => {
    const site = await siteOfTest()
    const spellings = ['wanted', 'WANTED', 'Wanted', 'wAnTeD']
    for (let round = 0; round < 5; round++) {
      const tries = Array.from(
        { length: 40 },
        (_, n) => ({ username: `${spellings[n % spellings.length]}-${round}`, endpoint: n % 8 < 4 ? 'api' : 'form' }) as const,
      )
      const answers = await Promise.all(
        tries.map(({ username, endpoint }) => site.visitor()[endpoint]('/register', { username, password: GOOD_PASSWORD })),
      )
      const winners = answers.filter(({ status }) => status === 201 || status === 303)
      expect([winners.length, answers.filter(({ status }) => status === 409).length]).toEqual([1, 39])
      expect(answers.filter(({ setCookies }) => setCookies.length > 0)).toEqual(winners)
      expect(await inDatabase(site, 'SELECT id FROM guildhall_users WHERE username_key = ?', `wanted-${round}`)).toHaveLength(1)
    }
    expect([await countRows(site, 'users'), await countRows(site, 'credentials'), await countRows(site, 'sessions')]).toEqual([
      5, 5, 5,
    ])
    expect(site.logs).toEqual([])
  })

  test('E-20 a form that is sent twice makes one account, and the person is logged in whichever answer comes last', async () => {
    const site = await siteOfTest()
    for (let n = 0; n < 20; n++) {
      const visitor = site.visitor()
      const submit = () => visitor.form('/register', { username: `hasty-${n}`, password: GOOD_PASSWORD })
      const answers = await Promise.all([submit(), submit()])
      const [made, refused] = answers.toSorted((a, b) => a.status - b.status)
      expect([made?.status, refused?.status]).toEqual([303, 409])
      expect(refused?.setCookies).toEqual([])
      expect(refused?.text).toContain(`value="hasty-${n}"`)
      expect((await visitor.api('/profile')).json()).toMatchObject({ user: { username: `hasty-${n}` } })
    }
    expect([await countRows(site, 'users'), await countRows(site, 'credentials'), await countRows(site, 'sessions')]).toEqual([
      20, 20, 20,
    ])
  })
})
