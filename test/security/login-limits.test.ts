// The limit of tries is one for all processes, and a refused try costs next to nothing.
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { expect, onTestFinished, test } from 'vitest'
import { siteOfTest } from '../support/artifacts.ts'
import type { Kept } from '../support/database-inspector.ts'
import { expectJudged } from '../support/stampede.ts'
import { GOOD_PASSWORD, Visitor } from '../support/visitor.ts'

const SECRET = 'one secret for all of the processes'

async function visitorOfAnotherProcess({ database, redis }: Kept): Promise<Visitor> {
  const script = new URL('../support/member-process.ts', import.meta.url)
  const where = redis ? [redis.url, redis.prefix] : []
  const child: ChildProcess = fork(script, [database, SECRET, ...where], { execArgv: ['--conditions=guildhall-source'] })
  onTestFinished(() => void child.kill())
  const [port] = await once(child, 'message')
  return new Visitor(`http://localhost:${port}`)
}

test('B-10 four processes on one database share their limits, to the last try', async () => {
  const site = await siteOfTest({ secret: SECRET })
  await site.visitor().register('victim')
  const visitors = await Promise.all(Array.from({ length: 4 }, () => visitorOfAnotherProcess(site)))
  const tries = (body: (n: number) => object, ip: (n: number) => string) =>
    Promise.all(
      visitors.flatMap((visitor, p) =>
        Array.from({ length: 25 }, async (_, n) => {
          const headers = { 'x-forwarded-for': ip(p * 25 + n) }
          return (await visitor.api('/login', body(p * 25 + n), { headers })).status
        }),
      ),
    )

  const onOneNetwork = await tries(
    (n) => ({ username: `victim-${n}`, password: 'wrong, all wrong' }),
    () => '10.0.0.1',
  )
  expectJudged(onOneNetwork, 20)
  const onOneAccount = await tries(
    () => ({ username: 'victim', password: 'wrong, all wrong' }),
    (n) => `10.1.${n}.1`,
  )
  expectJudged(onOneAccount, 5)
})

test('B-23 twenty-five members of one address who log in at once at four processes are all let in', async () => {
  const site = await siteOfTest({ secret: SECRET })
  const names = Array.from({ length: 25 }, (_, n) => `member-${n}`)
  for (const username of names) await site.membership.users.create({ username, password: GOOD_PASSWORD })
  const visitors = await Promise.all(Array.from({ length: 4 }, () => visitorOfAnotherProcess(site)))
  const logins = names.map(async (username, n) => {
    const visitor = new Visitor(visitors[n % visitors.length]?.base ?? '')
    return (await visitor.api('/login', { username, password: GOOD_PASSWORD }, { headers: { 'x-forwarded-for': '10.2.0.1' } }))
      .status
  })
  expect(await Promise.all(logins)).toEqual(names.map(() => 200))
})

test('B-18 a flood of logins costs no more hashes than the limit, and members are served meanwhile', async () => {
  const site = await siteOfTest({ rateLimit: true })
  const member = site.visitor()
  await member.register('patient')
  const { verify, stats } = site.core.passwords
  const before = stats.done
  // The flood is not over before the member was served.
  const served = Promise.withResolvers<void>()
  site.core.passwords.verify = (...asked) => served.promise.then(() => verify(...asked))
  // No more connections at once than the system keeps for a server that is not at it yet: it resets the others.
  const flood = Array.from({ length: 250 }, async (_, n) => {
    const statuses: number[] = []
    for (const m of [1, 2, 3, 4]) statuses.push((await site.visitor().logIn(`victim-${n}-${m}`, 'wrong, all wrong')).status)
    return statuses
  })
  for (let n = 0; n < 20; n++) expect((await member.api('/profile')).status).toBe(200)
  served.resolve()
  expectJudged((await Promise.all(flood)).flat(), 20)
  expect(site.core.passwords.stats.done - before).toBeLessThanOrEqual(20)
})

test('B-08 while attackers lock an account from everywhere, its owner stays logged in, and the operator can unlock it', async () => {
  const site = await siteOfTest({ rateLimit: true, trustProxy: 1 })
  const owner = site.visitor()
  await owner.register('patient')
  const guess = (n: number) =>
    site
      .visitor()
      .api('/login', { username: 'patient', password: 'wrong, all wrong' }, { headers: { 'x-forwarded-for': `10.9.${n}.1` } })
  const comeFromAnywhere = () =>
    site.visitor().api('/login', { username: 'patient', password: GOOD_PASSWORD }, { headers: { 'x-forwarded-for': '10.8.0.1' } })
  for (let round = 0; round < 4; round++) {
    const flood = Promise.all(Array.from({ length: 50 }, (_, n) => guess(round * 50 + n)))
    // Meanwhile and afterwards.
    for (let n = 0; n < 10; n++) expect((await owner.api('/profile')).status).toBe(200)
    const statuses = (await flood).map(({ status }) => status)
    expect(statuses.filter((status) => status === 429).length).toBeGreaterThanOrEqual(45)
    expect((await comeFromAnywhere()).status).toBe(429)
    expect((await owner.api('/profile', { displayName: `Patient ${round}` })).status).toBe(200)
    expect((await owner.get('/account/security')).status).toBe(200)
    site.clock.forward('5m')
  }
  await Promise.all(Array.from({ length: 50 }, (_, n) => guess(200 + n)))
  expect((await comeFromAnywhere()).status).toBe(429)
  await site.membership.users.unlock('patient')
  expect((await comeFromAnywhere()).status).toBe(200)
  expect((await owner.api('/profile')).status).toBe(200)
})
