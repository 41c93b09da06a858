// A Redis that loses data: people are logged out cleanly, and the log says why.
import { copyFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { siteOfTest } from '../support/artifacts.ts'
import { memberOf, statusWith } from '../support/members.ts'
import { describeWith } from '../support/needs.ts'
import { KEPT, OwnRedis } from '../support/own-redis.ts'
import { newFolder, run } from '../support/server.ts'
import type { Site } from '../support/site.ts'
import { GOOD_PASSWORD } from '../support/visitor.ts'

const LOST = 'Redis has lost what it held: whoever was logged in has to log in again, and limits count from zero'
const OLDER = 'Redis has gone back to an older copy of what it held: later logins are lost, and later logouts may be undone'
const EVICTED = 'Redis has thrown keys out for lack of memory: people are logged out, and limits forgotten'
const MAY_EVICT = 'Redis may throw keys out when its memory is full, which logs people out: set maxmemory-policy noeviction'

const warnings = (site: Site) =>
  site.logs.filter(({ level, message }) => level === 'warn' && message.startsWith('Redis')).map(({ message }) => message)

const PROBED = { interval: 100 }

describeWith('redis-server', 'a Redis that loses what it held', () => {
  let redis: OwnRedis

  beforeAll(async () => {
    redis = await OwnRedis.start(KEPT)
  })
  afterEach(async () => {
    await redis.command('CONFIG', 'SET', 'maxmemory-policy', 'noeviction')
    await redis.command('CONFIG', 'SET', 'maxmemory', '0')
    await redis.command('FLUSHALL')
  })
  afterAll(() => redis.drop())

  /** A site that has probed Redis once. */
  async function siteThatWatches(): Promise<Site> {
    const site = await siteOfTest({ redis: redis.url, rateLimit: true })
    const keys = async () => redis.command('KEYS', 'guildhall:monitor:*')
    await expect.poll(keys, PROBED).toHaveLength(1)
    return site
  }

  /** Until the site has probed Redis once more, from beginning to end. */
  async function anotherProbe(): Promise<void> {
    const probes = async () => {
      const keys = await redis.command('KEYS', 'guildhall:monitor:*')
      return Array.isArray(keys) && keys.length > 0 ? Number(await redis.command('HGET', String(keys[0]), 'probe')) : 0
    }
    await expect.poll(probes, PROBED).toBeGreaterThan(0)
    const before = await probes()
    await expect.poll(probes, PROBED).toBeGreaterThan(before + 1)
  }

  test('F-13 emptied: members are asked to log in, limits count from zero, accounts and epochs stay, the log says why', async () => {
    const site = await siteThatWatches()
    const { visitor, id } = await memberOf(site, 'anna')
    const guess = () => site.visitor().api('/login', { username: 'anna', password: 'not the password' })
    for (let tries = 0; tries < 5; tries++) expect((await guess()).status).toBe(401)
    expect((await guess()).status).toBe(429)
    expect(warnings(site)).toEqual([])
    await redis.command('FLUSHALL')
    expect((await visitor.api('/profile')).status).toBe(401)
    const page = await visitor.get('/profile')
    expect([page.status, page.headers.get('location')]).toEqual([303, expect.stringContaining('/login')])
    expect((await guess()).status).toBe(401)
    await expect.poll(() => warnings(site), PROBED).toEqual([LOST])
    expect((await visitor.api('/login', { username: 'anna', password: GOOD_PASSWORD })).status).toBe(200)
    expect(await statusWith(site, id)).toBe(401)
    expect(warnings(site)).toEqual([LOST])
  })

  test('F-13 back at an older copy: the log says that a logout may be undone; a suspended member stays out', async () => {
    const site = await siteThatWatches()
    const { id: left, visitor } = await memberOf(site, 'anna')
    const { id: suspended } = await memberOf(site, 'bert')
    await redis.command('SAVE')
    const snapshot = join(redis.folder, 'older.rdb')
    copyFileSync(join(redis.folder, 'dump.rdb'), snapshot)
    expect((await visitor.api('/logout', {})).status).toBe(204)
    await site.membership.users.setStatus('bert', 'suspended')
    await anotherProbe()
    await redis.restoreFrom(snapshot)
    await expect.poll(() => warnings(site), PROBED).toEqual([OLDER])
    expect(await statusWith(site, left)).toBe(200)
    expect(await statusWith(site, suspended)).toBe(401)
    await site.membership.users.setStatus('bert', 'active')
    expect(await statusWith(site, suspended)).toBe(401)
  })

  test('F-13 short of memory: the log says that keys are evicted, once, and doctor warns of the setting', async () => {
    await redis.command('CONFIG', 'SET', 'maxmemory-policy', 'allkeys-lru')
    const site = await siteThatWatches()
    expect(warnings(site)).toEqual([MAY_EVICT])
    await redis.command('DEBUG', 'POPULATE', '20000', 'filling', '500')
    await redis.command('CONFIG', 'SET', 'maxmemory', '4mb')
    await expect.poll(() => warnings(site), PROBED).toEqual([MAY_EVICT, EVICTED])
    await redis.command('DEBUG', 'POPULATE', '20000', 'more', '500').catch(() => {})
    await anotherProbe()
    expect(warnings(site)).toEqual([MAY_EVICT, EVICTED])
    const folder = newFolder()
    await run(['migrate'], { folder })
    const said = await run(['doctor'], { folder, env: { REDIS_URL: redis.url } })
    expect(said.stdout).toMatch(/^warning +When its memory is full, Redis throws keys out \(maxmemory-policy allkeys-lru\)/m)
    expect(said.code).toBe(0)
  })

  test('a full Redis that keeps what it has: new logins wait, members stay members and can log out', async () => {
    const site = await siteThatWatches()
    const { visitor, id } = await memberOf(site, 'anna')
    await redis.command('CONFIG', 'SET', 'maxmemory', '1')
    expect((await visitor.api('/profile')).status).toBe(200)
    const rejected = await site.visitor().logIn('anna')
    expect([rejected.status, rejected.headers.get('retry-after')]).toEqual([503, '1'])
    expect((await visitor.api('/logout', {})).status).toBe(204)
    expect(await statusWith(site, id)).toBe(401)
    await redis.command('CONFIG', 'SET', 'maxmemory', '0')
    await anotherProbe()
    expect(warnings(site)).toEqual([])
  })

  test('a site that closes takes its mark along', async () => {
    const site = await siteThatWatches()
    await site.membership.close()
    expect(await redis.command('KEYS', 'guildhall:monitor:*')).toEqual([])
  })
})
