// A password and a session id are said once, by the person to the site, and by nobody to anybody after that.
import { createHash } from 'node:crypto'
import { expect, test } from 'vitest'
import { bytesAtRest, logText, siteOfTest } from '../support/artifacts.ts'
import { crawlRoutes, spoken } from '../support/route-crawler.ts'
import { ask, newFolder, post, startServer } from '../support/server.ts'
import type { SiteOptions } from '../support/site.ts'
import type { Answer, Visitor } from '../support/visitor.ts'

// Letters and digits only: it looks the same in a form, in JSON, in HTML and in a log.
const CANARY = 'Kanarienvogel7Qx9'
const WRONG_CANARY = 'Zeisig4Kw2Wrong'

/** A host whose own routes fail, and one that reveals all it has. */
const faulty: SiteOptions = {
  rateLimit: true,
  routes: (app) => {
    app.post('/broken', (req) => {
      Object.assign(req.session, { note: Symbol('not JSON') })
      throw new Error('the host failed')
    })
    app.get('/bag', (req, res) => void res.json(req.session))
  },
}

/** Requests that go wrong, with the canary at each place where something could repeat it. */
async function stumble(visitor: Visitor, canary: string): Promise<Answer[]> {
  const json = (text: string) => visitor.api('/login', text)
  const typed = (type: string) =>
    visitor.send('/api/login', { method: 'POST', headers: { 'content-type': type }, body: `password=${canary}` })
  return [
    await json(`{"username":"anna","password":"${canary}"`),
    await json(`{"username":"anna","password":"${canary}",}`),
    await json(`{"username":{"x":"y"},"password":"${canary}"}`),
    await json(`{"username":"anna","password":["${canary}"]}`),
    await json(`{"username":"anna","password":"${canary.repeat(20)}"}`),
    await json(`{"username":"anna","password":"${canary.repeat(2000)}"}`),
    await json(`["${canary}"]`),
    // The parser's own error repeats a text that is this short.
    await json(canary),
    await visitor.form('/login', `username=anna&password=${canary}&password=${canary}`),
    await visitor.form('/register', { username: 'x', password: canary, displayName: 'y'.repeat(999) }),
    await visitor.form('/register', { username: canary.slice(0, -2), password: canary }),
    await visitor.form('/login', `username=%E0%A4&password=${canary}`),
    await visitor.form('/reauthenticate', { password: canary, returnTo: '//evil.example' }),
    await visitor.send('/login', {
      method: 'POST',
      headers: { 'sec-fetch-site': 'cross-site', 'content-type': 'application/json' },
      body: `{"password":"${canary}"}`,
    }),
    await typed('text/plain'),
    await typed('multipart/form-data; boundary=x'),
    await typed('application/json; charset=latin1'),
    await visitor.form('/broken', { password: canary }),
    await visitor.get('/bag'),
    await visitor.get('/nowhere'),
  ]
}

test('A-18 D-14 N-04 neither a password nor a live session id is in any answer, any log line or any byte of the database', async () => {
  const site = await siteOfTest({ ...faulty, passwords: { memoryKiB: 64 } })
  const said: string[] = []
  const ids = new Set<string>()
  const anna = site.visitor()
  const listen = async (visitor: Visitor, answers: readonly Answer[]) => {
    said.push(...answers.map(spoken))
    ids.add((await visitor.sessionId()) ?? 'none')
  }

  await listen(anna, [await anna.register('anna', CANARY)])
  const wander = async (visitor: Visitor, canary: string) => {
    const fields = { username: 'anna', password: canary, displayName: 'Anna', remember: 'on', returnTo: '/profile' }
    await listen(visitor, await stumble(visitor, canary))
    await listen(
      visitor,
      (await crawlRoutes(site, visitor, fields)).map(({ answer }) => answer),
    )
    site.clock.forward('1h')
  }
  for (const canary of [WRONG_CANARY, CANARY]) await wander(site.visitor(), canary)
  for (const canary of [WRONG_CANARY, CANARY]) {
    const again = site.visitor()
    await listen(again, [await again.logIn('anna', CANARY)])
    await wander(again, canary)
  }
  const live = site.visitor()
  await listen(live, [await live.logIn('anna', CANARY), await live.form('/broken', {}), await live.get('/account/security')])
  ids.delete('none')
  expect(ids.size).toBeGreaterThan(3)
  expect(site.logs.length + said.length).toBeGreaterThan(200)

  const places = { answers: said.join('\n'), log: logText(site), database: await bytesAtRest(site) }
  const secrets = [CANARY, WRONG_CANARY, ...ids]
  const derived = [CANARY, WRONG_CANARY].flatMap((canary) => [
    Buffer.from(canary).toString('base64').replace(/=+$/, ''),
    Buffer.from(canary).toString('hex'),
    ...['md5', 'sha1', 'sha256'].map((name) => createHash(name).update(canary).digest('hex')),
  ])
  for (const [place, text] of Object.entries(places)) {
    for (const secret of [...secrets, ...derived]) expect(text.includes(secret), `${secret} in ${place}`).toBe(false)
  }
})

test('D-35 a site that starts with another secret keeps everybody logged in, with their passwords', async () => {
  const folder = newFolder()
  const account = { username: 'anna', password: CANARY }
  const before = await startServer({ folder, env: { SECRET: 'the first secret of thirty-two bytes or more' } })
  const { headers } = await post(before, '/api/register', account)
  await before.stop()
  const after = await startServer({ folder, env: { SECRET: 'another secret of thirty-two bytes or more' } })
  const Cookie = String(headers['set-cookie']).split(';', 1).join()
  expect((await ask('/api/profile', { port: after.port, headers: { Host: new URL(after.url).host, Cookie } })).status).toBe(200)
  expect((await post(after, '/api/login', account)).status).toBe(200)
})
