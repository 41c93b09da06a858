// Tries are limited per network and per account, before any work, however they are spelled or sent.
import { afterEach, describe, expect, test } from 'vitest'
import { parseRate } from '../../src/core/counter-state.ts'
import { networkOf, wideNetworkOf } from '../../src/domain/address.ts'
import { MembershipError } from '../../src/domain/errors.ts'
import { bytesAtRest, inDatabase } from '../support/database-inspector.ts'
import { openSite, type Site, type SiteOptions } from '../support/site.ts'
import { expectJudged } from '../support/stampede.ts'
import { failuresOf, tryAtOnce } from '../support/throttles.ts'
import { GOOD_PASSWORD, type Visitor } from '../support/visitor.ts'

let site: Site

afterEach(() => site?.close())

async function throttledSite(options: SiteOptions = {}): Promise<Site> {
  site = await openSite({ rateLimit: true, trustProxy: 1, ...options })
  return site
}

/** A login from an address of its own, as a proxy in front would report it. */
function logInFrom(visitor: Visitor, ip: string, username: string, password = 'wrong, all wrong') {
  return visitor.api('/login', { username, password }, { headers: { 'x-forwarded-for': ip } })
}

const hashesDone = () => site.core.passwords.stats.done

describe('the account', () => {
  test('B-07 after five wrong passwords the right one waits too, and after the window it works', async () => {
    const visitor = (await throttledSite()).visitor()
    await visitor.register('anna')
    const statuses: number[] = []
    for (let n = 0; n < 6; n++) statuses.push((await logInFrom(visitor, `10.0.${n}.1`, 'anna')).status)
    expect(statuses).toEqual([401, 401, 401, 401, 401, 429])
    const waiting = await logInFrom(visitor, '10.0.9.1', 'anna', GOOD_PASSWORD)
    expect([waiting.status, waiting.json().code]).toEqual([429, 'too_many_requests'])
    expect(Number(waiting.headers.get('retry-after'))).toBeGreaterThan(0)
    expect(Number(waiting.headers.get('retry-after'))).toBeLessThanOrEqual(300)
    site.clock.forward('5m')
    expect((await logInFrom(visitor, '10.0.9.1', 'anna', GOOD_PASSWORD)).status).toBe(200)
  })

  test('B-07 the wait grows, stays far below 100 tries, and ends', async () => {
    const visitor = (await throttledSite()).visitor()
    await visitor.register('berta')
    let judged = 0
    for (let minute = 0; minute < 55; minute++) {
      for (let n = 0; n < 3; n++) if ((await logInFrom(visitor, `10.${minute}.${n}.1`, 'berta')).status === 401) judged++
      site.clock.forward('1m')
    }
    expect(judged).toBe(15)
    site.clock.forward('1h')
    expect((await logInFrom(visitor, '10.99.0.1', 'berta', GOOD_PASSWORD)).status).toBe(200)
  })

  test('B-06 every spelling of a name counts on one counter', async () => {
    const visitor = (await throttledSite()).visitor()
    await visitor.register('conny')
    const spellings = ['conny', 'CONNY', ' conny', 'con\u200bny', 'ｃｏｎｎｙ', 'Conny ', '\ufeffconny']
    const statuses = []
    for (const [n, name] of spellings.entries()) statuses.push((await logInFrom(visitor, `10.1.${n}.1`, name)).status)
    expect(statuses).toEqual([401, 401, 401, 401, 401, 429, 429])
  })

  test('B-01 a name that does not exist is throttled just like one that does', async () => {
    const visitor = (await throttledSite()).visitor()
    const statuses = []
    for (let n = 0; n < 7; n++) statuses.push((await logInFrom(visitor, `10.2.${n}.1`, 'nobody-here')).status)
    expect(statuses).toEqual([401, 401, 401, 401, 401, 429, 429])
  })

  test('B-15 fields that the login does not use do not change the counter', async () => {
    const visitor = (await throttledSite()).visitor()
    const statuses = []
    for (let n = 0; n < 6; n++) {
      const body = { username: 'doris', password: 'wrong, all wrong', email: `${n}@example.org`, nonce: n }
      statuses.push((await visitor.api('/login', body, { headers: { 'x-forwarded-for': `10.3.${n}.1` } })).status)
    }
    expect(statuses.at(-1)).toBe(429)
  })
})

const statusesOf = (answers: readonly { readonly status: number }[]) => answers.map(({ status }) => status)

describe('the network', () => {
  test('B-09 of 200 wrong logins at once, no more than the limit are judged', async () => {
    const visitor = (await throttledSite()).visitor()
    const before = hashesDone()
    const answers = await Promise.all(Array.from({ length: 200 }, (_, n) => logInFrom(visitor, '10.4.0.1', `victim-${n}`)))
    expectJudged(statusesOf(answers), 20)
    expect(hashesDone() - before).toBeLessThanOrEqual(20)
  })

  test('B-09 of 200 wrong logins on one account at once, no more than the limit are judged', async () => {
    const visitor = (await throttledSite()).visitor()
    const before = hashesDone()
    const answers = await Promise.all(Array.from({ length: 200 }, (_, n) => logInFrom(visitor, `10.5.${n}.1`, 'victim')))
    expectJudged(statusesOf(answers), 5)
    expect(hashesDone() - before).toBeLessThanOrEqual(5)
  })

  test('B-11 an own login in between does not buy more guesses on others', async () => {
    const visitor = (await throttledSite()).visitor()
    await visitor.register('mallory')
    let guesses = 0
    for (let n = 0; n < 60; n++) {
      if ((await logInFrom(visitor, '10.6.0.1', `target-${n}`)).status === 401) guesses++
      if (n % 9 === 8) await logInFrom(visitor, '10.6.0.1', 'mallory', GOOD_PASSWORD)
    }
    expect(guesses).toBe(20)
  })

  test('B-12 without a trusted proxy, made-up forwarding headers change nothing', async () => {
    site = await openSite({ rateLimit: true })
    const visitor = site.visitor()
    const statuses = []
    for (let n = 0; n < 25; n++) {
      const headers = { 'x-forwarded-for': `10.7.${n}.1`, 'x-real-ip': `10.8.${n}.1`, forwarded: `for=10.9.${n}.1` }
      statuses.push((await visitor.api('/login', { username: `n-${n}`, password: 'wrong, all wrong' }, { headers })).status)
    }
    expect(statuses.filter((status) => status === 401)).toHaveLength(20)
  })

  test('B-13 behind one proxy, the address that the proxy saw counts, not what the visitor put before it', async () => {
    const visitor = (await throttledSite()).visitor()
    const statuses = []
    for (let n = 0; n < 25; n++) statuses.push((await logInFrom(visitor, `1.2.3.${n}, 9.9.9.9`, `n-${n}`)).status)
    expect(statuses.filter((status) => status === 401)).toHaveLength(20)
  })

  test('B-14 a /64 is one network, a mapped IPv4 address is that address', async () => {
    const visitor = (await throttledSite()).visitor()
    const statuses = []
    for (let n = 0; n < 200; n++) statuses.push((await logInFrom(visitor, `2001:db8:1:2::${n.toString(16)}`, `n-${n}`)).status)
    expect(statuses.filter((status) => status === 401)).toHaveLength(20)
    expect(networkOf('2001:DB8:0:0:1::1')).toBe(networkOf('2001:db8::ffff:0:0:2'))
    expect(networkOf('2001:db8:0:1::1')).not.toBe(networkOf('2001:db8::1'))
    expect(networkOf('::ffff:10.0.0.1')).toBe(networkOf('10.0.0.1'))
    expect(networkOf('::ffff:a00:1')).toBe('10.0.0.1')
    expect(networkOf('::ffff:10.0.0.2')).not.toBe(networkOf('10.0.0.1'))
    expect(networkOf('fe80::1%eth0')).toBe(networkOf('fe80::2'))
  })

  test('people behind NAT64 or 6to4 count by the IPv4 address that is theirs', async () => {
    await throttledSite()
    const guess = async (ip: string) => (await logInFrom(site.visitor(), ip, `for-${ip}`)).status
    for (let n = 0; n < 25; n++) expect(await guess(`64:ff9b::192.0.2.${n}`)).toBe(401)
    for (let n = 0; n < 19; n++) expect(await guess(`2002:c000:207:${n.toString(16)}::1`)).toBe(401)
    expect(await guess('192.0.2.7')).toBe(429)
    expect([networkOf('64:ff9b::a00:1'), networkOf('2002:a00:1:9::1')]).toEqual(['10.0.0.1', '10.0.0.1'])
    // Of their own: a prefix of NAT64 that one site uses inside, and what only begins alike.
    expect(networkOf('64:ff9b:1::a00:1')).toBe('64:ff9b:1:0::/64')
    expect([wideNetworkOf('64:ff9b::a00:1'), wideNetworkOf('10.0.0.1'), wideNetworkOf(undefined)]).toEqual([
      undefined,
      undefined,
      undefined,
    ])
    expect(wideNetworkOf('2001:db8:1:2::3')).toBe('2001:db8:1::/48')
  })

  test('B-14 a port behind the address, as some proxies write it, makes no network of its own', async () => {
    const visitor = (await throttledSite()).visitor()
    const statuses = []
    for (let n = 0; n < 30; n++) statuses.push((await logInFrom(visitor, `203.0.113.10:${40_000 + n}`, `n-${n}`)).status)
    expect(statuses.filter((status) => status === 401)).toHaveLength(20)
    expect(networkOf('[2001:db8::1]:40001')).toBe(networkOf('2001:db8::2'))
    expect(networkOf('203.0.113.10:4')).toBe('203.0.113.10')
    expect([networkOf('unix:'), networkOf('a\nb'), networkOf(undefined)]).toEqual(['unknown', 'unknown', 'unknown'])
  })

  test('B-18 logins that work are bounded as well, and keep at most fifty sessions', async () => {
    const visitor = (await throttledSite()).visitor()
    await visitor.register('busy-bee')
    const statuses = []
    for (let n = 0; n < 70; n++)
      statuses.push((await logInFrom(site.visitor(), `10.20.${n}.1`, 'busy-bee', GOOD_PASSWORD)).status)
    expect(statuses.filter((status) => status === 200)).toHaveLength(60)
    expect(await site.membership.users.sessions('busy-bee')).toHaveLength(50)
  })

  test('a try that is judged after its window counts in the next one, and takes nothing from it', async () => {
    const { throttle } = await throttledSite().then(({ core }) => core)
    const limit = failuresOf('3 per 1m')
    const [early, late] = [await throttle.take(limit, 'somebody'), await throttle.take(limit, 'somebody')]
    site.clock.forward('2m')
    await throttle.release(late, 'failure')
    expect(await tryAtOnce([throttle], 2, limit, () => 'failure')).toBe(2)
    await throttle.release(early, 'success')
    await expect(throttle.take(limit, 'somebody')).rejects.toMatchObject({ code: 'too_many_requests' })
  })

  test('B-07 an attacker with a stolen session guesses the password no more often than without, on the same counter', async () => {
    const visitor = (await throttledSite()).visitor()
    await visitor.register('robbed')
    const refused: unknown[] = []
    site.membership.on('refused', ({ code, path }) => refused.push([code, path]))
    const confirm = (n: number, password: string) =>
      visitor.api('/reauthenticate', { password }, { headers: { 'x-forwarded-for': `10.30.${n}.1` } })
    const statuses = []
    for (let n = 0; n < 6; n++) statuses.push((await confirm(n, 'wrong, all wrong')).status)
    expect(statuses).toEqual([401, 401, 401, 401, 401, 429])
    expect(refused).toEqual([['too_many_requests', '/api/reauthenticate']])
    expect((await logInFrom(site.visitor(), '10.30.9.1', 'robbed', GOOD_PASSWORD)).status).toBe(429)
    site.clock.forward('5m')
    expect((await confirm(10, GOOD_PASSWORD)).status).toBe(204)
    // Cleared by the success, the window of an hour too: else eleven of its fifteen tries would be left.
    for (let n = 0; n < 3; n++) {
      for (let m = 0; m < 5; m++) expect((await confirm(20 + 5 * n + m, 'wrong, all wrong')).status).toBe(401)
      site.clock.forward('5m')
    }
    expect((await confirm(40, 'wrong, all wrong')).status).toBe(429)
  })

  /** Nobody's password is looked at before so many are there. */
  function judgeTogether(many: number): void {
    const { verify } = site.core.passwords
    const all = Promise.withResolvers<void>()
    let there = 0
    site.core.passwords.verify = async (...asked) => {
      if (++there === many) all.resolve()
      await all.promise
      return verify(...asked)
    }
  }

  test('B-23 twenty-five members of one address who log in at once with the right password are all let in', async () => {
    await throttledSite()
    for (let n = 0; n < 25; n++) await site.membership.users.create({ username: `member-${n}`, password: GOOD_PASSWORD })
    judgeTogether(20)
    const logins = Array.from({ length: 25 }, (_, n) => logInFrom(site.visitor(), '10.50.0.1', `member-${n}`, GOOD_PASSWORD))
    expect(statusesOf(await Promise.all(logins))).toEqual(Array.from({ length: 25 }, () => 200))
  })

  test('B-23 somebody who logs in on six devices at once is let in on all of them', async () => {
    await throttledSite()
    await site.membership.users.create({ username: 'many-devices', password: GOOD_PASSWORD })
    judgeTogether(5)
    const logins = Array.from({ length: 6 }, (_, n) => logInFrom(site.visitor(), `10.51.${n}.1`, 'many-devices', GOOD_PASSWORD))
    expect(statusesOf(await Promise.all(logins))).toEqual([200, 200, 200, 200, 200, 200])
  })

  test('B-23 a member who logs in while others of the address guess is let in, and of the guesses no more than the limit are judged', async () => {
    await throttledSite()
    await site.membership.users.create({ username: 'innocent', password: GOOD_PASSWORD })
    const before = hashesDone()
    const guesses = Array.from({ length: 19 }, (_, n) => logInFrom(site.visitor(), '10.52.0.1', `victim-${n}`))
    const logins = Array.from({ length: 5 }, () => logInFrom(site.visitor(), '10.52.0.1', 'innocent', GOOD_PASSWORD))
    expect(statusesOf(await Promise.all(logins))).toEqual([200, 200, 200, 200, 200])
    expect(statusesOf(await Promise.all(guesses)).every((status) => status === 401)).toBe(true)
    const more = await Promise.all(Array.from({ length: 20 }, (_, n) => logInFrom(site.visitor(), '10.52.0.1', `more-${n}`)))
    expectJudged(statusesOf(more), 1)
    expect(hashesDone() - before).toBe(25)
  })

  test('B-23 a member who waits longer than a password may wait for its hash reads that the server is busy, not that they tried too often', async () => {
    await throttledSite({ passwords: { queueLimit: 3 } })
    const judged = Promise.withResolvers<boolean>()
    site.core.passwords.verify = () => judged.promise
    // Five have the slots of the user, three may wait.
    const all = Array.from({ length: 9 }, (_, n) => logInFrom(site.visitor(), `10.53.${n}.1`, 'popular'))
    const first = await Promise.race(all)
    expect([first.status, first.json().code, first.headers.get('retry-after')]).toEqual([503, 'overloaded', '1'])
    judged.resolve(false)
    expectJudged(
      statusesOf(await Promise.all(all)).filter((status) => status !== 503),
      5,
    )
  })

  test('what an account refuses is given back to the network: a colleague of the same address is let in', async () => {
    await throttledSite()
    await site.membership.users.create({ username: 'colleague', password: GOOD_PASSWORD })
    const statuses = []
    for (let n = 0; n < 40; n++) statuses.push((await logInFrom(site.visitor(), '10.54.0.1', 'locked')).status)
    expect(statuses.filter((status) => status === 401)).toHaveLength(5)
    expect((await logInFrom(site.visitor(), '10.54.0.1', 'colleague', GOOD_PASSWORD)).status).toBe(200)
  })

  test('a network that goes on at locked accounts is refused itself, after two hundred', async () => {
    await throttledSite()
    await site.membership.users.create({ username: 'colleague', password: GOOD_PASSWORD })
    const tryLocked = () => logInFrom(site.visitor(), '10.55.0.1', 'locked')
    for (let n = 0; n < 5 + 199; n++) await tryLocked()
    expect((await logInFrom(site.visitor(), '10.55.0.1', 'colleague', GOOD_PASSWORD)).status).toBe(200)
    await tryLocked()
    const refused = await logInFrom(site.visitor(), '10.55.0.1', 'colleague', GOOD_PASSWORD)
    expect([refused.status, Number(refused.headers.get('retry-after'))]).toEqual([429, 600])
    expect((await logInFrom(site.visitor(), '10.55.0.2', 'colleague', GOOD_PASSWORD)).status).toBe(200)
    site.clock.forward('10m')
    expect((await logInFrom(site.visitor(), '10.55.0.1', 'colleague', GOOD_PASSWORD)).status).toBe(200)
  })

  test('an application unlocks a member, whose windows all begin anew; the trail and the person are told', async () => {
    const visitor = (await throttledSite()).visitor()
    await visitor.register('locked-out')
    const statuses = []
    for (let minute = 0; minute < 4; minute++) {
      for (let n = 0; n < 5; n++) statuses.push((await logInFrom(site.visitor(), `10.58.${minute}.${n}`, 'locked-out')).status)
      site.clock.forward('5m')
    }
    expect(statuses.filter((status) => status === 401)).toHaveLength(15)
    const logIn = () => logInFrom(site.visitor(), '10.58.9.1', 'LOCKED-OUT', GOOD_PASSWORD)
    expect((await logIn()).status).toBe(429)
    expect(await site.membership.users.unlock('Locked-Out')).toMatchObject({ username: 'locked-out', wasLocked: true })
    expect(await site.membership.users.unlock('Locked-Out')).toMatchObject({ username: 'locked-out', wasLocked: false })
    expect(await inDatabase(site, "SELECT event FROM guildhall_audit WHERE event = 'unlocked'")).toHaveLength(1)
    expect((await logIn()).status).toBe(200)
    expect((await visitor.logIn('locked-out')).status).toBe(200)
    expect((await visitor.get('/account/security')).text).toContain('unlocked')
    await expect(site.membership.users.unlock('nobody')).rejects.toMatchObject({ code: 'not_found' })
  })

  test('a class of thirty that registers from one address gets its accounts, however often they mistype', async () => {
    await throttledSite()
    const register = (username: string, password = GOOD_PASSWORD) =>
      site.visitor().api('/register', { username, password }, { headers: { 'x-forwarded-for': '10.56.0.1' } })
    expect((await register('taken')).status).toBe(201)
    for (let n = 0; n < 60; n++) expect((await register('taken')).status).toBe(409)
    const made = await Promise.all(Array.from({ length: 29 }, (_, n) => register(`pupil-${n}`)))
    expect(statusesOf(made)).toEqual(made.map(() => 201))
    expect((await register('late')).status).toBe(429)
  })

  test('tries to register are bounded, whatever becomes of them', async () => {
    await throttledSite({ registrationsPerHour: 2 })
    const register = (username: string) =>
      site.visitor().api('/register', { username, password: GOOD_PASSWORD }, { headers: { 'x-forwarded-for': '10.57.0.1' } })
    expect((await register('first')).status).toBe(201)
    const statuses = []
    for (let n = 0; n < 30; n++) statuses.push((await register('first')).status)
    expect(statuses.filter((status) => status === 409)).toHaveLength(19)
    expect((await register('second')).status).toBe(429)
  })

  test('an operator who expects a school lets more accounts be made from one address', async () => {
    await throttledSite({ registrationsPerHour: 32 })
    const made = Array.from({ length: 32 }, (_, n) => site.visitor().register(`pupil-${n}`))
    expect(statusesOf(await Promise.all(made))).toEqual(made.map(() => 201))
    expect((await site.visitor().register('late')).status).toBe(429)
  })

  test('somebody who confirms their password in a loop is stopped, and others of the address are not', async () => {
    const visitor = (await throttledSite()).visitor()
    const other = site.visitor()
    await visitor.register('looping')
    await other.register('patient')
    const before = hashesDone()
    const statuses = []
    for (let n = 0; n < 40; n++) statuses.push((await visitor.api('/reauthenticate', { password: GOOD_PASSWORD })).status)
    expect(statuses.filter((status) => status === 204)).toHaveLength(30)
    expect(hashesDone() - before).toBe(30)
    expect((await other.api('/reauthenticate', { password: GOOD_PASSWORD })).status).toBe(204)
    expect((await site.visitor().logIn('looping')).status).toBe(200)
  })

  test('registrations from one network are limited, and the limit is told, with what was entered', async () => {
    await throttledSite({ registrationsPerHour: 1 })
    await site.visitor().register('first')
    const page = await site.visitor().form('/register', { username: 'one-more', password: GOOD_PASSWORD })
    expect(page.status).toBe(429)
    expect(page.text).toContain('value="one-more"')
  })

  test('counters at rest name nobody', async () => {
    const visitor = (await throttledSite()).visitor()
    await logInFrom(visitor, '10.12.0.1', 'secretive')
    expect(await bytesAtRest(site)).not.toContain('secretive')
  })
})

describe('overload', () => {
  test('a full hash queue answers 503 with Retry-After, shows the form again, and costs no try', async () => {
    const visitor = (await throttledSite({ passwords: { workers: 1, queueLimit: 1, memoryKiB: 65_536, passes: 3 } })).visitor()
    const answers = await Promise.all(Array.from({ length: 12 }, (_, n) => logInFrom(visitor, '10.13.0.1', `busy-${n}`)))
    const busy = answers.filter(({ status }) => status === 503)
    expect(busy.length).toBeGreaterThan(5)
    expect(busy[0]?.json().code).toBe('overloaded')
    expect(Number(busy[0]?.headers.get('retry-after'))).toBeGreaterThan(0)
    site.core.passwords.verify = async () => false
    const later = []
    for (let n = 0; n < 12; n++) later.push((await logInFrom(visitor, '10.13.0.1', `later-${n}`)).status)
    expect(later).toEqual(later.map(() => 401))
  })

  /** With which priority passwords are looked at from now on. */
  function priorities(): (string | undefined)[] {
    const seen: (string | undefined)[] = []
    const { verify } = site.core.passwords
    site.core.passwords.verify = (stored, password, priority) => {
      seen.push(priority)
      return verify(stored, password, priority)
    }
    return seen
  }

  test('a network with a login comes before unknown ones, for a month', async () => {
    await throttledSite()
    await site.membership.users.create({ username: 'regular', password: GOOD_PASSWORD })
    const seen = priorities()
    const logIn = () => logInFrom(site.visitor(), '2001:db8:5:1::1', 'regular', GOOD_PASSWORD)
    await logIn()
    await logInFrom(site.visitor(), '2001:db8:5:1::2', 'stranger')
    await logInFrom(site.visitor(), '2001:db8:6:1::1', 'stranger')
    site.clock.forward('29d')
    await logIn()
    site.clock.forward('31d')
    await logIn()
    expect(seen).toEqual(['normal', 'high', 'normal', 'high', 'normal'])
  })

  test('an attacker who guesses from ever new networks of one /48 is sent to the end of the queue, and nobody is refused for it', async () => {
    await throttledSite()
    await site.membership.users.create({ username: 'neighbour', password: GOOD_PASSWORD })
    const logIn = () => logInFrom(site.visitor(), '2001:db8:7:ffff::1', 'neighbour', GOOD_PASSWORD)
    expect((await logIn()).status).toBe(200)
    const guess = (n: number) => logInFrom(site.visitor(), `2001:db8:7:${n.toString(16)}::1`, `victim-${n}`)
    for (let n = 0; n < 100; n++) expect((await guess(n)).status).toBe(401)
    const seen = priorities()
    expect((await guess(100)).status).toBe(401)
    expect((await logIn()).status).toBe(200)
    expect((await logInFrom(site.visitor(), '2001:db8:8:1::1', 'neighbour', GOOD_PASSWORD)).status).toBe(200)
    site.clock.forward('10m')
    expect((await guess(101)).status).toBe(401)
    expect(seen).toEqual(['low', 'normal', 'normal', 'normal'])
  })

  test('a network that continues while the queue is full costs no disk, and is served once there is room', async () => {
    await throttledSite()
    const { verify, isFull } = site.core.passwords
    site.core.passwords.verify = () => Promise.reject(new MembershipError('overloaded'))
    site.core.passwords.isFull = () => true
    const { counters } = site.core.db
    let calls = 0
    for (const name of ['find', 'swap'] as const) {
      const call = counters[name].bind(counters)
      Object.assign(counters, { [name]: (...asked: unknown[]) => ++calls && Reflect.apply(call, counters, asked) })
    }
    const from = (net: string) => async (_: unknown, n: number) =>
      (await logInFrom(site.visitor(), `2001:db8:${net}:${n.toString(16)}::1`, `n-${n}`)).status
    expect(new Set(await Promise.all(Array.from({ length: 10 }, from('9'))))).toEqual(new Set([503]))
    calls = 0
    expect(new Set(await Promise.all(Array.from({ length: 200 }, from('9'))))).toEqual(new Set([503]))
    expect(calls).toBe(0)
    expect(await from('a')(undefined, 1)).toBe(503)
    expect(calls).toBeGreaterThan(0)
    Object.assign(site.core.passwords, { verify, isFull })
    expect(await from('9')(undefined, 1)).toBe(401)
  })

  test('a member whose own network has a recent login is not refused for others of the /48 that continue while the queue is full', async () => {
    await throttledSite()
    await site.membership.users.create({ username: 'at-home', password: GOOD_PASSWORD })
    const home = '2001:db8:c:1::1'
    expect((await logInFrom(site.visitor(), home, 'at-home', GOOD_PASSWORD)).status).toBe(200)
    const { verify, isFull } = site.core.passwords
    const setFull = (priority: string) => {
      site.core.passwords.isFull = () => true
      site.core.passwords.verify = (stored, password, asked) =>
        asked === priority ? Promise.reject(new MembershipError('overloaded')) : verify(stored, password, asked)
    }
    setFull('normal')
    for (let n = 2; n < 30; n++)
      expect((await logInFrom(site.visitor(), `2001:db8:c:${n.toString(16)}::1`, `m-${n}`)).status).toBe(503)
    expect((await logInFrom(site.visitor(), home, 'at-home', GOOD_PASSWORD)).status).toBe(200)
    setFull('high')
    for (let n = 0; n < 10; n++) expect((await logInFrom(site.visitor(), home, 'at-home')).status).toBe(503)
    // A flood from a known home is refused as any other.
    Object.assign(site.core.passwords, { verify })
    expect((await logInFrom(site.visitor(), home, 'at-home', GOOD_PASSWORD)).status).toBe(503)
    Object.assign(site.core.passwords, { isFull })
    expect((await logInFrom(site.visitor(), home, 'at-home', GOOD_PASSWORD)).status).toBe(200)
  })

  test('a confirmation that nobody judged costs no try, neither of the network nor of the user', async () => {
    const visitor = (await throttledSite()).visitor()
    await visitor.register('patient')
    const { verify } = site.core.passwords
    site.core.passwords.verify = () => Promise.reject(new MembershipError('overloaded'))
    for (let n = 0; n < 25; n++) expect((await visitor.api('/reauthenticate', { password: GOOD_PASSWORD })).status).toBe(503)
    site.core.passwords.verify = verify
    expect((await visitor.api('/reauthenticate', { password: GOOD_PASSWORD })).status).toBe(204)
  })
})

describe('a hook that breaks', () => {
  test('costs the right password no try, and wrong ones are counted as ever', async () => {
    let isBroken = true
    const hooks = {
      beforeSignIn() {
        if (isBroken) throw new Error('a bug of the application')
      },
    }
    const visitor = (await throttledSite({ hooks })).visitor()
    await site.membership.users.create({ username: 'unlucky', password: GOOD_PASSWORD })
    const statuses = []
    for (let n = 0; n < 25; n++) statuses.push((await logInFrom(visitor, '10.40.0.1', 'unlucky', GOOD_PASSWORD)).status)
    expect(statuses).toEqual(statuses.map(() => 500))
    for (let n = 0; n < 5; n++) expect((await logInFrom(visitor, `10.41.${n}.1`, 'unlucky')).status).toBe(401)
    expect((await logInFrom(visitor, '10.40.0.1', 'unlucky', GOOD_PASSWORD)).status).toBe(429)
    site.clock.forward('5m')
    isBroken = false
    expect((await logInFrom(visitor, '10.40.0.1', 'unlucky', GOOD_PASSWORD)).status).toBe(200)
  })
})

test('a rate that is none is a mistake of the programmer', () => {
  expect(() => parseRate('0 per 5m')).toThrow("a rate reads '5 per 10m', got '0 per 5m'")
  expect(parseRate('5 per 5m')).toEqual({ limit: 5, windowMs: 300_000 })
})
