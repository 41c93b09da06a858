// How passwords are stored: strong salted hashes that follow the settings, and an optional pepper.
import { createServer } from 'node:http'
import express from 'express'
import { expect, test } from 'vitest'
import { createMembership } from '../../src/membership.ts'
import { inDatabase, siteOfTest, storedHash } from '../support/artifacts.ts'
import { listen, portOf } from '../support/site.ts'
import { GOOD_PASSWORD, Visitor } from '../support/visitor.ts'

const PEPPERS = { old: 'a pepper of the old days, long enough', now: 'a pepper of these days, long enough' }

/** A PHC string taken apart: https://github.com/P-H-C/phc-string-format */
function readPhc(text: string) {
  const [, id, version, parameters = '', salt = '', tag = ''] = text.split('$')
  const { m, t, p } = Object.fromEntries(parameters.split(',').map((pair) => pair.split('=')))
  const bytes = (base64: string) => Buffer.from(base64, 'base64').length
  return { id, version, m: Number(m), t: Number(t), p: Number(p), salt, saltBytes: bytes(salt), tagBytes: bytes(tag) }
}

test('A-14 with the defaults a password is stored as argon2id with the parameters of OWASP', async () => {
  const site = await siteOfTest()
  const membership = createMembership({ baseUrl: 'http://localhost', database: site.database })
  const server = await listen(createServer(express().use(membership)))
  const visitor = new Visitor(`http://localhost:${portOf(server)}`)
  expect((await visitor.register('alice')).status).toBe(201)
  expect((await visitor.logIn('alice')).status).toBe(200)
  server.closeAllConnections()
  server.close()
  await membership.close()
  const stored = readPhc(await storedHash(site, 'alice'))
  expect(stored).toMatchObject({ id: 'argon2id', version: 'v=19', p: 1 })
  expect(stored.m).toBeGreaterThanOrEqual(19_456)
  expect(stored.t).toBeGreaterThanOrEqual(2)
  expect(stored.saltBytes).toBeGreaterThanOrEqual(16)
  expect(stored.tagBytes).toBeGreaterThanOrEqual(32)
})

test('A-14 A-16 two hundred people with one password have two hundred salts and two hundred hashes', async () => {
  const site = await siteOfTest()
  // In two batches: one would be larger than the queue of hashes.
  for (const batch of ['twin', 'double'])
    await Promise.all(Array.from({ length: 100 }, (_, n) => site.visitor().register(`${batch}-${n}`)))
  const kept = await inDatabase(site, 'SELECT data FROM guildhall_credentials')
  const hashes = kept.map(({ data }) => readPhc(String(data)))
  expect(hashes).toHaveLength(200)
  expect(new Set(hashes.map(({ salt }) => salt)).size).toBe(200)
  expect(new Set(kept.map(({ data }) => data)).size).toBe(200)
})

test('A-15 a hash from weaker settings follows the settings at the next login, and only then', async () => {
  const past = await siteOfTest({ passwords: { memoryKiB: 256, passes: 1 } })
  await past.visitor().register('alice')
  const old = await storedHash(past, 'alice')
  const now = await siteOfTest({ database: past.database })
  expect((await now.visitor().logIn('alice', 'wrong, all wrong')).status).toBe(401)
  expect(await storedHash(past, 'alice')).toBe(old)
  expect((await now.visitor().logIn('alice')).status).toBe(200)
  const upgraded = await storedHash(past, 'alice')
  expect([readPhc(old).m, readPhc(upgraded).m]).toEqual([256, 1024])
  expect((await now.visitor().logIn('alice')).status).toBe(200)
  expect(await storedHash(past, 'alice')).toBe(upgraded)
})

test('A-15 a bcrypt hash brought along from elsewhere logs in and becomes argon2id', async () => {
  const { hashSync } = await import('@node-rs/bcrypt')
  const site = await siteOfTest()
  await site.visitor().register('alice')
  await inDatabase(site, 'UPDATE guildhall_credentials SET data = ?', hashSync('an imported password', { cost: 4 }))
  expect((await site.visitor().logIn('alice')).status).toBe(401)
  expect((await site.visitor().logIn('alice', 'an imported password')).status).toBe(200)
  expect(readPhc(await storedHash(site, 'alice')).id).toBe('argon2id')
  expect((await site.visitor().logIn('alice', 'an imported password')).status).toBe(200)
})

test('A-15 when the better hash cannot be written, the person is logged in all the same', async () => {
  const past = await siteOfTest({ passwords: { memoryKiB: 256, passes: 1 } })
  await past.visitor().register('alice')
  const old = await storedHash(past, 'alice')
  await inDatabase(
    past,
    "CREATE TRIGGER blocked BEFORE UPDATE ON guildhall_credentials BEGIN SELECT RAISE(ABORT, 'blocked'); END",
  )
  const now = await siteOfTest({ database: past.database })
  const visitor = now.visitor()
  expect((await visitor.logIn('alice')).status).toBe(200)
  expect((await visitor.api('/profile')).status).toBe(200)
  expect(await storedHash(past, 'alice')).toBe(old)
  expect(now.logs.map(({ level }) => level)).toEqual(['warn'])
})

test('A-17 without its pepper no old password fits, nothing breaks, and with it the pepper can be changed', async () => {
  const first = await siteOfTest({ passwords: { pepper: PEPPERS.old } })
  await first.visitor().register('alice')
  const { database } = first
  for (const passwords of [{}, { pepper: PEPPERS.now }]) {
    const without = await siteOfTest({ database, passwords })
    const refused = await without.visitor().logIn('alice')
    expect([refused.status, refused.json().code]).toEqual([401, 'invalid_credentials'])
    expect((await without.visitor().register(`bob-${Object.keys(passwords).length}`)).status).toBe(201)
    expect(without.logs.filter(({ level }) => level === 'error')).toEqual([])
  }
  const both = await siteOfTest({ database, passwords: { pepper: [PEPPERS.now, PEPPERS.old] } })
  expect((await both.visitor().logIn('alice')).status).toBe(200)
  const onlyNew = await siteOfTest({ database, passwords: { pepper: PEPPERS.now } })
  expect((await onlyNew.visitor().logIn('alice')).status).toBe(200)
  expect((await first.visitor().logIn('alice')).status).toBe(401)
})

test('A-21 an account without a password, or with a blank one, lets nobody in, whatever they type', async () => {
  const site = await siteOfTest()
  for (const username of ['alice', 'berta', 'conny']) await site.visitor().register(username)
  await inDatabase(
    site,
    "UPDATE guildhall_credentials SET data = '' WHERE user_id = (SELECT id FROM guildhall_users WHERE username = 'alice')",
  )
  await inDatabase(
    site,
    "UPDATE guildhall_credentials SET data = ' ' WHERE user_id = (SELECT id FROM guildhall_users WHERE username = 'berta')",
  )
  await inDatabase(
    site,
    "DELETE FROM guildhall_credentials WHERE user_id = (SELECT id FROM guildhall_users WHERE username = 'conny')",
  )
  for (const username of ['alice', 'berta', 'conny']) {
    for (const password of [' ', 'null', 'undefined', '\0', GOOD_PASSWORD]) {
      expect((await site.visitor().logIn(username, password)).status).toBe(401)
    }
    for (const password of ['', null, undefined, [], [''], {}, false, 0]) {
      expect((await site.visitor().api('/login', { username, password })).status).toBe(422)
    }
  }
})

test('A-13 a password does not grow old: after four hundred days its owner logs in with it', async () => {
  const site = await siteOfTest()
  await site.visitor().register('anna')
  site.clock.forward('400d')
  expect((await site.visitor().logIn('anna')).status).toBe(200)
})
