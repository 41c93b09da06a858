// Sessions and counters in Redis: a member's visit, what Redis may not decide, and what happens while it is away.
import { cpSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterEach, expect, test, vi } from 'vitest'
import { PROBE } from '../../src/database/redis/monitor.ts'
import { SqliteConnection } from '../../src/database/sqlite/connection.ts'
import { createMembership } from '../../src/index.ts'
import { openInternals } from '../../src/membership.ts'
import { DELETE } from '../../src/session/stores/redis-scripts.ts'
import { RedisCounters } from '../../src/storage/redis/counters.ts'
import { backUp, openCopy, restore } from '../../src/storage/sqlite/backup.ts'
import { siteOfTest } from '../support/artifacts.ts'
import { testClock } from '../support/clock.ts'
import { memberOf, statusWith } from '../support/members.ts'
import { describeOnRedis, makeRedis, openWay, REDIS_URL, type TestRedis, type Way } from '../support/redis.ts'
import { openSite, type Site, type SiteOptions } from '../support/site.ts'
import { failuresOf, throttleOn, tryAtOnce } from '../support/throttles.ts'
import { GOOD_PASSWORD } from '../support/visitor.ts'

const opened: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const close of opened.splice(0).toReversed()) await close()
})

async function redisOfTest(): Promise<TestRedis> {
  const redis = await makeRedis()
  opened.push(redis.drop)
  return redis
}

/** A SQLite file for tests that look into it, or put another in its place. */
function fileOfTest(): string {
  const folder = mkdtempSync(join(tmpdir(), 'guildhall-redis-'))
  opened.push(async () => rmSync(folder, { recursive: true, force: true }))
  return join(folder, 'members.db')
}

function rowsIn(file: string, table: 'users' | 'sessions'): number {
  const database = new DatabaseSync(file, { readOnly: true })
  try {
    return Number(database.prepare(`SELECT count(*) AS n FROM guildhall_${table}`).get()?.n)
  } finally {
    database.close()
  }
}

async function siteOnRedis(options: SiteOptions = {}): Promise<{ readonly site: Site; readonly redis: TestRedis }> {
  const redis = await redisOfTest()
  const site = await siteOfTest({ redis: redis.url, redisPrefix: redis.prefix, ...options })
  return { site, redis }
}

/** A site whose way to Redis can be cut. */
async function siteBehindWay(
  options: SiteOptions = {},
): Promise<{ readonly site: Site; readonly redis: TestRedis; readonly way: Way }> {
  const way = await openWay()
  opened.push(way.close)
  return { ...(await siteOnRedis({ redis: way.url, ...options })), way }
}

/** Everything that Redis keeps for a site. */
async function heldIn({ client, keys }: TestRedis): Promise<string> {
  const held: string[] = []
  for (const key of await keys()) {
    if (key.includes(':counter:')) held.push(key, (await client.get(key)) ?? '')
    else held.push(key, JSON.stringify(key.includes(':user:') ? await client.zRange(key, 0, -1) : await client.hGetAll(key)))
  }
  return held.join('\n')
}

const sessionsIn = async ({ keys }: TestRedis) => (await keys()).filter((key) => key.includes(':session:')).length

describeOnRedis('a membership on Redis', () => {
  test('a person registers, is known, is listed, logs out: the session is in Redis alone', async () => {
    const file = fileOfTest()
    const { site, redis } = await siteOnRedis({ database: `sqlite:${file}` })
    const { visitor, id } = await memberOf(site, 'anna')
    expect((await visitor.api('/profile')).json<{ user: { username: string } }>().user.username).toBe('anna')
    expect([rowsIn(file, 'users'), rowsIn(file, 'sessions'), await sessionsIn(redis)]).toEqual([1, 0, 1])
    const other = site.visitor()
    await other.logIn('anna')
    expect(await site.membership.users.sessions('anna')).toHaveLength(2)
    expect((await visitor.api('/account/sessions/end-others', {})).status).toBe(204)
    expect((await other.api('/profile')).status).toBe(401)
    expect((await visitor.api('/logout', {})).status).toBe(204)
    expect([await statusWith(site, id), await sessionsIn(redis)]).toEqual([401, 0])
  })

  test('an open client is taken as it is, and left open', async () => {
    const { client, prefix } = await redisOfTest()
    const site = await openSite({ redis: client, redisPrefix: prefix })
    const { visitor } = await memberOf(site, 'anna')
    expect((await visitor.api('/profile')).status).toBe(200)
    await site.close()
    expect(await client.ping()).toBe('PONG')
  })

  test('two processes on one Redis and one database know the same people', async () => {
    const database = `sqlite:${fileOfTest()}`
    const { site, redis } = await siteOnRedis({ database })
    const { id } = await memberOf(site, 'anna')
    const second = await siteOfTest({ database, redis: redis.url, redisPrefix: redis.prefix })
    expect(await statusWith(second, id)).toBe(200)
    await site.membership.users.setStatus('anna', 'suspended')
    expect(await statusWith(second, id)).toBe(401)
  })

  test('an authenticated request costs one call to Redis and one query, one with an anonymous session no query', async () => {
    const { client, prefix } = await redisOfTest()
    let calls = 0
    const site = await siteOfTest({
      database: `sqlite:${fileOfTest()}`,
      redis: {
        evalSha: (sha1, options) => {
          // The probe of once a second belongs to no request.
          if (sha1 !== PROBE.sha1) calls++
          return client.evalSha(sha1, options)
        },
        eval: (text, options) => client.eval(text, options),
      },
      redisPrefix: prefix,
      routes: (app) => {
        app.get('/who', (req, res) => void res.json({ name: req.user?.username ?? null }))
        app.post('/bag', (req, res) => {
          Object.assign(req.session, { apples: 3 })
          res.json({})
        })
      },
    })
    const { visitor: anna } = await memberOf(site, 'anna')
    const nobody = site.visitor()
    await nobody.send('/bag', { method: 'POST' })
    const spies = (['first', 'all', 'values', 'run', 'transaction'] as const).map((name) =>
      vi.spyOn(SqliteConnection.prototype, name),
    )
    const costOf = async (visitor: typeof anna) => {
      calls = 0
      for (const spy of spies) spy.mockClear()
      const { name } = (await visitor.get('/who')).json()
      return { name, calls, queries: spies.reduce((sum, spy) => sum + spy.mock.calls.length, 0) }
    }
    try {
      expect(await costOf(anna)).toEqual({ name: 'anna', calls: 1, queries: 1 })
      expect(await costOf(nobody)).toEqual({ name: null, calls: 1, queries: 0 })
      expect(await costOf(site.visitor())).toEqual({ name: null, calls: 0, queries: 0 })
    } finally {
      for (const spy of spies) spy.mockRestore()
    }
  })

  test('D-24 a member who is suspended while Redis is away stays out, though Redis still has the session', async () => {
    const { site, redis, way } = await siteBehindWay()
    const { id } = await memberOf(site, 'anna')
    await way.cut()
    await site.membership.users.setStatus('anna', 'suspended')
    expect(site.logs.map(({ level, message }) => [level, message])).toContainEqual([
      'warn',
      'the sessions of a changed user are dead, but could not be deleted',
    ])
    await way.restore()
    await expect.poll(() => statusWith(site, id)).toBe(401)
    expect(await sessionsIn(redis)).toBe(1)
    await site.membership.users.setStatus('anna', 'active')
    expect(await statusWith(site, id)).toBe(401)
  })

  test('a restored backup ends the sessions that Redis still has, and no later change of an account revives them', async () => {
    const file = fileOfTest()
    const { site, redis } = await siteOnRedis({ database: `sqlite:${file}` })
    const { id: before } = await memberOf(site, 'anna')
    const copy = `${file}.copy`
    await backUp(file, copy)
    await site.membership.users.setStatus('anna', 'suspended')
    await site.membership.users.setStatus('anna', 'active')
    const late = site.visitor()
    await late.logIn('anna')
    const after = (await late.sessionId()) ?? ''
    cpSync(copy, `${copy}.again`)
    await putBack(copy, file)
    expect([await statusWith(site, before), await statusWith(site, after), await sessionsIn(redis)]).toEqual([401, 401, 1])
    const between = site.visitor()
    await between.logIn('anna')
    expect((await between.api('/profile')).status).toBe(200)
    await putBack(`${copy}.again`, file)
    expect((await between.api('/profile')).status).toBe(401)
    expect(await statusWith(site, after)).toBe(401)
  })

  test('D-15 D-16 neither an id, a typed name nor an address is in a key or a value', async () => {
    const { site, redis } = await siteOnRedis({ rateLimit: true, trustProxy: 1 })
    const headers = { 'x-forwarded-for': '198.51.100.77' }
    const ids: string[] = []
    for (let n = 0; n < 20; n++) {
      const visitor = site.visitor()
      expect((await visitor.api('/register', { username: `secretive-${n}`, password: GOOD_PASSWORD })).status).toBe(201)
      ids.push((await visitor.sessionId()) ?? '')
      await site.visitor().api('/login', { username: `secretive-${n}`, password: 'wrong, all wrong' }, { headers })
    }
    const held = await heldIn(redis)
    expect(held).toContain(':counter:')
    for (const id of ids) expect(held).not.toContain(id)
    expect(held).not.toMatch(/secretive|198\.51\.100\.77|wrong/)
  })
})

describeOnRedis('the throttle on Redis', () => {
  test('B-10 of 100 guesses at once in two processes, as many are judged as the limit allows', async () => {
    const { client, prefix } = await redisOfTest()
    const clock = testClock()
    const throttles = [1, 2].map(() => throttleOn(new RedisCounters(client, prefix), clock))
    for (let window = 0; window < 3; window++) {
      expect(await tryAtOnce(throttles, 100, failuresOf('7 per 1m'), () => 'failure')).toBe(7)
      clock.forward('1m')
    }
  })

  test('B-09 B-23 nobody who knows the password is refused while others guess, in two processes, and no guess is lost', async () => {
    const { client, prefix } = await redisOfTest()
    const throttles = [1, 2].map(() => throttleOn(new RedisCounters(client, prefix)))
    const limit = failuresOf('30 per 10m')
    expect(await tryAtOnce(throttles, 80, limit, (n) => (n % 4 === 0 ? 'failure' : 'success'))).toBe(80)
    expect(await tryAtOnce(throttles, 50, limit, () => 'failure')).toBe(10)
  })

  test('a counter is kept for a minute after nothing of it counts any more; of those who replace it at once, one does', async () => {
    const { client, prefix } = await redisOfTest()
    const counters = new RedisCounters(client, prefix)
    const end = Date.now() + 60_000
    const swap = (from: string | undefined, to = 'second') =>
      Promise.all(Array.from({ length: 20 }, (_, n) => counters.swap('k', from, `${to} ${n}`, end)))
    expect((await swap(undefined, 'first')).filter(Boolean)).toHaveLength(1)
    expect(await client.pExpireTime(`${prefix}counter:k`)).toBe(end + 60_000)
    const found = await counters.find('k')
    expect((await swap('another')).filter(Boolean)).toHaveLength(0)
    expect((await swap(found)).filter(Boolean)).toHaveLength(1)
    expect(await counters.swap('k', await counters.find('k'), '', 0)).toBe(true)
    expect(await client.exists(`${prefix}counter:k`)).toBe(0)
  })
})

describeOnRedis('while Redis is away', () => {
  test.each(['cut', 'stall'] as const)(
    '%s: a member is told to try again, stays logged in, and is served within two seconds of its return',
    async (how) => {
      const { site, way } = await siteBehindWay({ rateLimit: true })
      const { visitor, id } = await memberOf(site, 'anna')
      await way[how]()
      for (const answer of [
        await visitor.api('/profile'),
        await visitor.get('/profile'),
        await visitor.get('/login'),
        await visitor.api('/logout', {}),
      ]) {
        expect([answer.status, answer.headers.get('retry-after'), answer.setCookies]).toEqual([503, '1', []])
      }
      expect((await visitor.api('/profile')).json().code).toBe('store_unavailable')
      const page = await visitor.form('/logout', {})
      expect([page.status, page.setCookies, await visitor.sessionId()]).toEqual([503, [], id])
      expect(page.text).toMatch(/try again/i)
      // Anonymous visitors read pages; a password is not checked without a counter.
      const stranger = site.visitor()
      expect((await stranger.get('/login')).status).toBe(200)
      expect((await stranger.api('/login', { username: 'anna', password: GOOD_PASSWORD })).status).toBe(503)
      await expect(site.core.db.ready()).rejects.toMatchObject({ code: 'store_unavailable' })
      await way.restore()
      await expect.poll(() => statusWith(site, id)).toBe(200)
      expect((await visitor.api('/logout', {})).status).toBe(204)
      expect([await statusWith(site, id), await visitor.sessionId()]).toEqual([401, undefined])
    },
  )

  test('a logout that Redis did not take is no logout: 503, the cookie stays, and so does the session', async () => {
    const { client, prefix } = await redisOfTest()
    let mayEnd = true
    const site = await siteOfTest({
      redis: {
        evalSha: (sha1, options) => {
          const isEnd = sha1 === DELETE.sha1
          return isEnd && !mayEnd ? Promise.reject(new Error('Socket closed unexpectedly')) : client.evalSha(sha1, options)
        },
        eval: (text, options) => client.eval(text, options),
      },
      redisPrefix: prefix,
    })
    const { visitor, id } = await memberOf(site, 'anna')
    mayEnd = false
    for (const endpoint of ['api', 'form'] as const) {
      const answer = await visitor[endpoint]('/logout', {})
      expect([answer.status, answer.headers.get('retry-after'), answer.setCookies]).toEqual([503, '1', []])
    }
    expect([await visitor.sessionId(), await statusWith(site, id)]).toEqual([id, 200])
    mayEnd = true
    expect((await visitor.form('/logout', {})).status).toBe(303)
    expect(await statusWith(site, id)).toBe(401)
  })

  test('a connection that fell silent is given up: after a while nobody waits for it', async () => {
    const { site, way } = await siteBehindWay()
    const { id } = await memberOf(site, 'anna')
    way.stall()
    const answersAtOnce = async () => {
      const began = performance.now()
      const status = await statusWith(site, id)
      return status === 503 && performance.now() - began < 100
    }
    await expect.poll(answersAtOnce).toBe(true)
    await way.restore()
    await expect.poll(() => statusWith(site, id)).toBe(200)
  })

  test('a site that starts without it serves who needs no session, and finds it when it comes', async () => {
    const way = await openWay()
    opened.push(way.close)
    await way.cut()
    const { prefix } = await redisOfTest()
    const site = await siteOfTest({ redis: way.url, redisPrefix: prefix })
    expect((await site.visitor().get('/login')).status).toBe(200)
    await expect(site.core.db.ready()).rejects.toMatchObject({ code: 'store_unavailable' })
    await way.restore()
    await expect.poll(async () => (await memberOf(site, `anna-${Math.trunc(performance.now())}`)).id).not.toBe('')
  })
})

test('what cannot be Redis is refused in words, without the password in it', () => {
  const options = { baseUrl: 'http://localhost:3000', database: 'sqlite::memory:' }
  for (const redis of ['http://:geheim@localhost', 'redis://', '127.0.0.1:6379']) {
    expect(() => createMembership({ ...options, redis })).toThrow("redis must be 'redis://HOST:PORT/NUMBER'")
    expect(() => createMembership({ ...options, redis })).not.toThrow('geheim')
  }
  expect(() => createMembership({ ...options, redis: REDIS_URL, redisPrefix: 'a b' })).toThrow('redisPrefix must have')
})

test('a membership on Redis that nobody used closes at once', async () => {
  const internals = openInternals({ baseUrl: 'http://localhost:3000', database: 'sqlite::memory:', redis: 'redis://127.0.0.1:1' })
  await internals.membership.close()
  await expect(internals.core.db.sessions.find('h')).rejects.toThrow('closed')
})

async function putBack(from: string, database: string): Promise<void> {
  const copy = openCopy(from, database)
  try {
    await restore(copy, database, `${from}.kept`)
  } finally {
    copy.close()
  }
}
