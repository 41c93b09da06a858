// The mailbox of a developer's machine: how it is protected, and what it shows.
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { composeMail } from '../../src/mail/compose.ts'
import { addressMail } from '../../src/mail/mail.ts'
import type { Internals } from '../../src/membership.ts'
import { createApp } from '../../src/server/app.ts'
import { configOf } from '../../src/server/config.ts'
import { openDevMailbox } from '../../src/server/dev-mailbox.ts'
import { mergeEnvironment } from '../../src/server/env.ts'
import { createLog } from '../../src/server/logging.ts'
import { createMetrics } from '../../src/server/metrics.ts'
import { PRODUCTION, startServer } from '../support/server.ts'
import { openSite } from '../support/site.ts'
import { until } from '../support/until.ts'

test('a developer who reads the terminal opens the mailbox, and nobody else finds it', async () => {
  const server = await startServer()
  await until(() => server.output().includes('kept at http'))
  const [, address = ''] = /kept at (http:\S+?)["\s]/.exec(server.output()) ?? []
  expect(address).toMatch(/^http:\/\/localhost:\d+\/dev\/mailbox\?key=[\w-]{43}$/)
  const opened = await fetch(address)
  expect([opened.status, opened.headers.get('referrer-policy')]).toEqual([200, 'no-referrer'])
  expect(await opened.text()).toContain('There is none yet.')
  for (const other of ['', '?key=', `?key=${'a'.repeat(43)}`, '?key=a&key=b', '?key[]=a'])
    expect([other, (await fetch(`${server.url}/dev/mailbox${other}`)).status]).toEqual([other, 404])
  expect((await fetch(address, { method: 'POST', headers: { Origin: server.url } })).status).toBe(404)
  expect((await fetch(address.replace('/mailbox', ''))).status).toBe(404)
  expect((await fetch(address.replace('?', '/1?'))).status).toBe(404)
})

test.each([
  [{ HOST: '0.0.0.0', BASE_URL: 'http://localhost:3000' }],
  [{ BASE_URL: 'http://members.example.org' }],
  [{ ...PRODUCTION, BASE_URL: 'https://localhost' }],
  [{ SMTP_URL: 'smtp://localhost:1', MAIL_FROM: 'noreply@example.org' }],
])('there is no mailbox with %j', async (env) => {
  const server = await startServer({ env })
  const { stdout } = await server.stop()
  expect(stdout).not.toContain('/dev/mailbox')
})

test('the mailbox keeps the last fifty mails, and shows each as text and as HTML that can do nothing', async () => {
  const mailbox: { url?: string | undefined; core?: Internals['core'] } = {}
  const config = configOf(mergeEnvironment({ LOG_LEVEL: 'silent' }, join(tmpdir(), 'no-such-folder')))
  const log = await createLog(config)
  const lifecycle = { isStopping: () => false, isClosing: () => false }
  const site = await openSite({
    siteName: 'Harbour',
    routes(app, internals) {
      const opened = openDevMailbox(internals, config)
      Object.assign(mailbox, { url: opened?.url, core: internals.core })
      app.use(createApp({ config, internals, log, metrics: createMetrics(internals.core, []), lifecycle, mailbox: opened }))
    },
  })
  const { url = '', core } = mailbox
  const from = { name: 'Harbour', address: 'noreply@localhost' }
  for (let n = 1; n <= 51; n++) {
    const blocks = [{ paragraph: '<script>alert(1)</script>' }, { button: 'Open', url: 'https://example.org/open' }]
    const said = { subject: `Mail <b>${n}</b>`, lang: 'en', heading: 'Hello', blocks, foot: 'That is all.' }
    await core?.mailer?.send(addressMail(composeMail(said, 'Harbour'), { id: `mail-${1000 + n}`, to: 'anna@example.org', from }))
  }
  const list = await (await fetch(url)).text()
  expect(list.match(/Mail &lt;b&gt;\d+/g)).toHaveLength(50)
  expect(list.indexOf('&lt;b&gt;51&')).toBeLessThan(list.indexOf('&lt;b&gt;2&'))
  const shown = await fetch(url.replace('?', '/51?'))
  expect(shown.headers.get('content-security-policy')).toMatch(/^sandbox (?!.*allow-(?:scripts|same-origin)).*default-src 'none'/)
  expect(await shown.text()).toContain('&lt;script&gt;alert(1)')
  const text = await fetch(url.replace('?', '/51.txt?'))
  expect([text.headers.get('content-type'), await text.text()]).toEqual([
    'text/plain; charset=utf-8',
    expect.stringContaining('https://example.org/open\n'),
  ])
  expect((await fetch(url.replace('?', '/1?'))).status).toBe(404)
  await site.close()
})
