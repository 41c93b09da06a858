// What a member may do follows the database at once, in this process and in another one.
import { setTimeout } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { digest } from '../../src/domain/secret.ts'
import { openSqlite } from '../../src/storage/sqlite/database.ts'
import { setStatus } from '../../src/storage/users.ts'
import { inDatabase, siteOfTest } from '../support/artifacts.ts'
import { memberOf, statusWith } from '../support/members.ts'

/** A page for admins, as a host application has it. */
const withVault = () =>
  siteOfTest({
    routes: (app, { membership }) => {
      app.get('/vault', membership.requireMember({ role: 'admin' }), (req, res) => void res.json(req.user?.roles))
    },
  })

test('D-24 an account that this process closes is out with the very next request, and nobody else', async () => {
  const site = await siteOfTest()
  const [{ id: anna }, { id: berta }] = [await memberOf(site, 'anna'), await memberOf(site, 'berta')]
  for (const id of [anna, anna, berta, berta]) expect(await statusWith(site, id)).toBe(200)
  await site.membership.users.setStatus('anna', 'suspended')
  const [afterwards, bystander] = await Promise.all([statusWith(site, anna), statusWith(site, berta)])
  expect([afterwards, bystander]).toEqual([401, 200])
})

test('D-24 D-32 a change of status through the connection is true in the same tick, before anybody is answered', async () => {
  const site = await siteOfTest()
  const { id } = await memberOf(site, 'anna')
  expect(await statusWith(site, id)).toBe(200)
  const [{ id: userId } = { id: '' }] = await inDatabase(site, "SELECT id FROM guildhall_users WHERE username = 'anna'")
  await setTimeout(3)
  expect(await statusWith(site, id)).toBe(200)
  void site.core.db.write(setStatus, { id: String(userId), status: 'suspended' })
  expect(await statusWith(site, id)).toBe(401)
  void site.core.db.write(setStatus, { id: String(userId), status: 'active' })
  expect(await statusWith(site, id)).toBe(200)
})

test('D-32 a role that another process gives or takes holds at the next request', async () => {
  const site = await withVault()
  const { visitor } = await memberOf(site, 'anna')
  expect((await visitor.api('/profile')).status).toBe(200)
  for (const [roles, status] of [
    ['["admin"]', 200],
    ['[]', 403],
    ['["admin"]', 200],
  ] as const) {
    await inDatabase(site, 'UPDATE guildhall_users SET roles = ?', roles)
    await setTimeout(3)
    expect((await visitor.get('/vault')).status).toBe(status)
  }
})

test('the name and the language that a member changes are shown at the very next request', async () => {
  const site = await siteOfTest()
  const { visitor } = await memberOf(site, 'anna')
  for (const displayName of ['Anna One', 'Anna Two']) {
    expect((await visitor.api('/profile', { displayName })).status).toBe(200)
    expect((await visitor.api('/profile')).json()).toMatchObject({ user: { displayName } })
  }
})

test('a member who is seen often is read once while others fail to log in: counters and the audit trail cost nobody a copy', async () => {
  const site = await siteOfTest({ rateLimit: true })
  const { id } = await memberOf(site, 'anna')
  expect(await statusWith(site, id)).toBe(200)

  const copy = site.core.db.sessions.find(digest(id))
  for (const username of ['nobody', 'anna', 'berta']) {
    expect((await site.visitor().logIn(username, 'not the password')).status).toBe(401)
    expect(site.core.db.sessions.find(digest(id))).toBe(copy)
  }
  await memberOf(site, 'berta')
  expect(site.core.db.sessions.find(digest(id))).toEqual(copy)
  expect((await site.visitor().logIn('berta')).status).toBe(200)
})

test('two connections on one database: what one writes about a person, the other knows a millisecond later', async () => {
  const site = await siteOfTest()
  const { id } = await memberOf(site, 'anna')
  const other = openSqlite(site.database.slice('sqlite:'.length))
  const [{ id: userId } = { id: '' }] = await inDatabase(site, 'SELECT id FROM guildhall_users')
  for (const [status, answer] of [
    ['suspended', 401],
    ['active', 200],
  ] as const) {
    await other.write(setStatus, { id: String(userId), status })
    await setTimeout(3)
    expect(await statusWith(site, id)).toBe(answer)
  }
  await other.close()
})
