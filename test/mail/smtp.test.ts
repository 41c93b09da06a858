// Mails by SMTP, against real servers that accept, refuse, hang, disconnect and answer falsely.
import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { beforeAll, describe, expect, test } from 'vitest'
import { addressMail, type Mail, MailError } from '../../src/mail/mail.ts'
import { createSmtpMailer, type SmtpMailer, type SmtpTimes } from '../../src/mail/smtp.ts'
import { readSmtpUrl } from '../../src/mail/smtp-url.ts'
import { selfSigned } from '../support/certificate.ts'
import { ROOT } from '../support/program.ts'
import { newFolder, writeFiles } from '../support/server.ts'
import { type Stage, startMailServer, startScriptedServer, type Trouble } from '../support/smtp.ts'
import { until } from '../support/until.ts'

const QUICK: SmtpTimes = { connectMs: 400, silenceMs: 500, deadlineMs: 700 }
const LOGIN = { user: 'robot@example.org', password: 'p@ss/w:rd#%?' }
const WITH_LOGIN = 'robot%40example.org:p%40ss%2Fw%3Ard%23%25%3F@'

function mailerTo(url: string, times?: SmtpTimes): SmtpMailer {
  const server = readSmtpUrl(url)
  if (!server) throw new Error(`${url} is no SMTP URL`)
  return createSmtpMailer(server, times)
}

function mailTo(to: string, content = {}): Mail {
  const said = { subject: 'Hello', text: 'Hello.\n', html: '<p>Hello.</p>\n', ...content }
  return addressMail(said, { id: 'mail-0001', to, from: { name: 'Harbour', address: 'noreply@example.org' } })
}

const ANNA = 'anna@example.org'

async function errorOf(sending: Promise<void>): Promise<MailError> {
  const error = await sending.then(
    () => undefined,
    (reason: unknown) => reason,
  )
  if (!(error instanceof MailError)) throw new Error(`no MailError, but ${String(error)}`)
  return error
}

test('a mail reaches its one recipient, and the connection is closed', async () => {
  const server = await startMailServer()
  await mailerTo(`smtp://127.0.0.1:${server.port}`).send(mailTo(ANNA))
  expect(server.mails).toMatchObject([{ from: 'noreply@example.org', to: [ANNA], isOverTls: false }])
  await until(() => server.open() === 0)
})

describe('what a server refuses', () => {
  test.each<[Stage, number, { permanent: boolean; recipientRefused: boolean }]>([
    ['greeting', 421, { permanent: false, recipientRefused: false }],
    ['greeting', 554, { permanent: false, recipientRefused: false }],
    ['sender', 451, { permanent: false, recipientRefused: false }],
    ['sender', 550, { permanent: false, recipientRefused: false }],
    ['recipient', 421, { permanent: false, recipientRefused: false }],
    ['recipient', 450, { permanent: false, recipientRefused: false }],
    ['recipient', 550, { permanent: true, recipientRefused: true }],
    ['recipient', 553, { permanent: true, recipientRefused: true }],
    ['body', 421, { permanent: false, recipientRefused: false }],
    ['body', 452, { permanent: false, recipientRefused: false }],
    ['body', 554, { permanent: true, recipientRefused: false }],
  ])('at the %s with %i is known for what it is: %j', async (stage, code, expected) => {
    const server = await startMailServer()
    server.trouble(stage, code)
    const error = await errorOf(mailerTo(`smtp://127.0.0.1:${server.port}`).send(mailTo(ANNA)))
    expect({ permanent: error.permanent, recipientRefused: error.recipientRefused }).toEqual(expected)
    expect(error.message).toContain(`127.0.0.1:${server.port}`)
    expect(error.message).toContain(String(code))
    expect(server.mails).toEqual([])
    await until(() => server.open() === 0)
    server.trouble(stage, undefined)
    await mailerTo(`smtp://127.0.0.1:${server.port}`).send(mailTo(ANNA))
    expect(server.mails).toHaveLength(1)
  })

  test('a server that blocks us at the recipient says nothing about the address', async () => {
    const server = await startMailServer()
    server.trouble('recipient', 550, '5.7.1 Your network is on a block list')
    const error = await errorOf(mailerTo(`smtp://127.0.0.1:${server.port}`).send(mailTo(ANNA)))
    expect([error.permanent, error.recipientRefused]).toEqual([true, false])
  })
})

describe('a server that hangs or hangs up holds nobody longer than the time for a mail', () => {
  const stages: Stage[] = ['greeting', 'sender', 'recipient', 'body']
  const cases = stages.flatMap((stage) => (['hang', 'hang up'] as const).map((trouble): [Stage, Trouble] => [stage, trouble]))
  test.each(cases)('at the %s: %s', async (stage, trouble) => {
    const server = await startMailServer()
    server.trouble(stage, trouble)
    const startedAt = performance.now()
    const error = await errorOf(mailerTo(`smtp://127.0.0.1:${server.port}`, QUICK).send(mailTo(ANNA)))
    expect([error.permanent, error.recipientRefused]).toEqual([false, false])
    expect(performance.now() - startedAt).toBeLessThan(3000)
    await until(() => server.open() === 0)
  })

  test.each(['EHLO', 'STARTTLS'])('at %s', async (command) => {
    const server = await startScriptedServer((line) => {
      if (line.startsWith(command)) return undefined
      return line === '' ? '220 here' : '250-here\r\n250 STARTTLS'
    })
    const error = await errorOf(mailerTo(`smtp://${WITH_LOGIN}127.0.0.1:${server.port}`, QUICK).send(mailTo(ANNA)))
    expect(error.permanent).toBe(false)
    await until(() => server.open() === 0)
  })

  test('a server that says a little again and again is left when the time for the whole mail is over', async () => {
    const server = await startScriptedServer((line, socket) => {
      if (line === '') return '220 here'
      if (line.startsWith('EHLO')) return '250 here'
      const drip = setInterval(() => socket.write('250-still looking\r\n'), 50)
      socket.on('close', () => clearInterval(drip))
      return undefined
    })
    const error = await errorOf(mailerTo(`smtp://127.0.0.1:${server.port}`, QUICK).send(mailTo(ANNA)))
    expect(error.message).toContain('did not take a mail in the time it is given')
    expect(error.permanent).toBe(false)
    await until(() => server.open() === 0)
  })

  test('nobody listens, or the name is nobody’s', async () => {
    const nobody = await errorOf(mailerTo('smtp://127.0.0.1:1', QUICK).send(mailTo(ANNA)))
    expect([nobody.permanent, nobody.message]).toEqual([false, expect.stringContaining('cannot be reached')])
    const unknown = await errorOf(mailerTo('smtps://mail.invalid').send(mailTo(ANNA)))
    expect([unknown.permanent, unknown.message]).toEqual([false, expect.stringContaining('mail.invalid:465 cannot be')])
  })
})

describe('credentials', () => {
  let own: { readonly key: string; readonly cert: string }
  beforeAll(() => {
    own = selfSigned()
  })

  /** By a process that trusts the certificate. */
  async function sendTrusting(url: string, act: 'send' | 'verify' = 'send') {
    const folder = newFolder()
    writeFiles(folder, { 'ca.pem': own.cert })
    const { stdout } = await promisify(execFile)(process.execPath, [join(ROOT, 'test/support/send-mail.ts'), url, act], {
      env: { PATH: process.env.PATH, NODE_EXTRA_CA_CERTS: join(folder, 'ca.pem') },
    })
    const outcome: { readonly message?: string; readonly permanent?: boolean; readonly all?: string } = JSON.parse(stdout)
    return outcome
  }

  test.each([false, true])('go over TLS alone (from the first byte: %s), however odd the password', async (fromTheStart) => {
    const server = await startMailServer({ tls: { ...own, fromTheStart }, login: LOGIN })
    const scheme = fromTheStart ? 'smtps' : 'smtp'
    const url = `${scheme}://${WITH_LOGIN}localhost:${server.port}`
    expect(await sendTrusting(url, 'verify')).toEqual({})
    expect(server.mails).toEqual([])
    expect(await sendTrusting(url)).toEqual({})
    expect(server.mails).toMatchObject([{ to: [ANNA], isOverTls: true }])
    expect(server.logins).toEqual(Array(2).fill({ user: LOGIN.user, isOverTls: true }))
  })

  test.each([false, true])(
    'are not shown to a certificate that nobody trusts (from the first byte: %s), and the error says what to do',
    async (fromTheStart) => {
      const server = await startMailServer({ tls: { ...own, fromTheStart }, login: LOGIN })
      const url = `${fromTheStart ? 'smtps' : 'smtp'}://${WITH_LOGIN}localhost:${server.port}`
      const error = await errorOf(mailerTo(url).send(mailTo(ANNA)))
      expect(error.message).toMatch(/certificate that is not trusted \(self.signed certificate\).*NODE_EXTRA_CA_CERTS/)
      expect(error.permanent).toBe(false)
      expect(server.logins).toEqual([])
    },
  )

  test('are not shown to a certificate for another host', async () => {
    const server = await startMailServer({ tls: own, login: LOGIN })
    const error = await sendTrusting(`smtp://${WITH_LOGIN}127.0.0.1:${server.port}`)
    expect(error.message).toMatch(/not trusted \(Hostname\/IP does not match.*write its host as the certificate does/)
    expect(server.logins).toEqual([])
  })

  test('do not leave where somebody on the way has taken STARTTLS out', async () => {
    const attacker = await startScriptedServer((line) => {
      if (line === '') return '220 here'
      if (line.startsWith('EHLO')) return '250-here\r\n250 AUTH PLAIN LOGIN'
      return line === 'STARTTLS' ? '502 what?' : '235 thank you'
    })
    const error = await errorOf(mailerTo(`smtp://${WITH_LOGIN}127.0.0.1:${attacker.port}`, QUICK).send(mailTo(ANNA)))
    expect(error.message).toMatch(/offers no TLS by STARTTLS, and nothing is sent to it in clear text/)
    expect(attacker.received()).not.toMatch(/AUTH|MAIL|RCPT|DATA|anna/)
  })

  test('nor does a mail without credentials, to another machine', () => {
    expect(readSmtpUrl('smtp://mail.example.org')).toMatchObject({ isClearText: false })
    expect(readSmtpUrl('smtp://localhost:25')).toMatchObject({ isClearText: true })
    expect(readSmtpUrl('smtp://a:b@localhost:25')).toMatchObject({ isClearText: false })
  })

  test('what the attacker has said before the encryption begins is not believed after it', async () => {
    const server = await startScriptedServer((line) => {
      if (line === '') return '220 here'
      // The answer to the EHLO inside TLS, sent ahead in clear text.
      return line === 'STARTTLS' ? '220 go on\r\n250-evil\r\n250 AUTH PLAIN' : '250-here\r\n250 STARTTLS'
    })
    const error = await sendTrusting(`smtp://${WITH_LOGIN}localhost:${server.port}`)
    expect(error.permanent).toBe(false)
    expect(server.received()).not.toContain('AUTH')
  })

  test('that are wrong are named without being repeated, whatever the server repeats', async () => {
    const server = await startMailServer({ tls: own, login: { ...LOGIN, password: 'another' } })
    const error = await sendTrusting(`smtp://${WITH_LOGIN}localhost:${server.port}`)
    expect(error.message).toMatch(/does not take the user and password \(535 /)
    expect(error.permanent).toBe(false)

    const echo = await startMailServer({ tls: own, login: LOGIN })
    const plain = Buffer.from(`\0${LOGIN.user}\0${LOGIN.password}`).toString('base64')
    echo.trouble('login', 535, `I heard ${LOGIN.password} and ${plain}`)
    const echoed = await sendTrusting(`smtp://${WITH_LOGIN}localhost:${echo.port}`)
    expect(echoed.message).toContain('I heard [secret] and [secret]')
    expect(echoed.all).not.toContain(LOGIN.password)
  })

  test('a port that speaks the other kind of TLS is named with the scheme to write', async () => {
    const starttls = await startMailServer({ tls: own, login: LOGIN })
    const error = await errorOf(mailerTo(`smtps://${WITH_LOGIN}localhost:${starttls.port}`, QUICK).send(mailTo(ANNA)))
    expect(error.message).toContain('write smtp:// in the place of smtps://')
    const fromTheStart = await startMailServer({ tls: { ...own, fromTheStart: true }, login: LOGIN })
    const other = await errorOf(mailerTo(`smtp://${WITH_LOGIN}localhost:${fromTheStart.port}`, QUICK).send(mailTo(ANNA)))
    expect(other.message).toContain('write smtps://')
  })
})

describe('an SMTP URL', () => {
  test('is read with its escapes undone', () => {
    const { login, ...place } = readSmtpUrl(`smtps://${WITH_LOGIN}Mail.Example.org`) ?? {}
    expect(place).toEqual({ host: 'mail.example.org', port: 465, isTls: true, isClearText: false })
    expect([login?.user.reveal(), login?.password.reveal()]).toEqual([LOGIN.user, LOGIN.password])
    expect(readSmtpUrl('smtp://[::1]:2525')).toMatchObject({ host: '::1', port: 2525, isClearText: true })
  })

  test.each([
    'smtp://robot:pa/ss@mail.example.org:587', 'smtp://robot:12/ss@mail.example.org', 'smtp://robot:p@ss@mail.example.org',
    'smtp://robot:pa#ss@mail.example.org', 'smtp://robot:12#ss@mail.example.org', 'smtp://robot:pa?ss@mail.example.org',
    'smtp://robot:12?ss@mail.example.org', 'smtp://robot:pa\\ss@mail.example.org', 'smtp://robot:pa%ss@mail.example.org',
    'smtp://robot:pa%00ss@mail.example.org', 'smtp://robot:pa%0d%0aQUIT@mail.example.org', 'smtp://robot:pa ss@mail.example.org',
    'smtp://robot:päss@mail.example.org', 'smtp://robot@mail.example.org', 'smtp://robot:@mail.example.org', 'smtp://:pass@mail.example.org',
    'smtp://robot@example.org:pass@mail.example.org', 'smtp://mail.example.org/?pool=true', 'smtp://mail.example.org/path', 'smtp://',
    'smtp://mail.example.org:0', 'smtp://mail.example.org:65536', 'smtp://[::1', 'smtp://[1:2]', 'http://mail.example.org', 'mail.example.org',
    '', `smtp://${'a'.repeat(2000)}`, 'smtp://mail.example.org\r\n', 'smtp://mail.example.org\0', 'smtp://[robot]:pass@mail.example.org',
  ])('%j is refused', (url) => {
    expect(readSmtpUrl(url)).toBeUndefined()
  }) // biome-ignore format: a list of URLs reads as a block
})

describe('E-04, E-05: only one address is ever written to', () => {
  test.each([
    'a@x.test,b@y.test', 'a@x.test, b@y.test', '"a@evil.test x"@ok.test', '"a b"@ok.test', 'a(comment)@ok.test', 'a@ok.test(comment)',
    'a＠evil.test', 'a@ok.test\0@evil.test', 'a@ok.test\r\nRCPT TO:<b@evil.test>', 'a@ok.test\n', 'a\0@ok.test', '<a@ok.test>', 'A <a@ok.test>',
    'a@ok.test>', 'group:a@ok.test;', 'a@b@c.test', '@ok.test', 'a@', 'a', '', ' a@ok.test', 'a@ok..test', 'a@-ok.test', 'a@[127.0.0.1]',
    `${'a'.repeat(65)}@ok.test`, `a@${'b.'.repeat(130)}test`, `${'a'.repeat(1_000_000)}@ok.test`, 'müller@ok.test', 'a\u200b@ok.test',
  ])('%j is no address, and nobody is connected to', (to) => {
    expect(() => mailTo(to)).toThrow(expect.objectContaining({ name: 'MailError', permanent: true, recipientRefused: true }))
  }) // biome-ignore format: a list of addresses reads as a block

  test.each(['a+tag@ok.test', "o'neil@ok.test", 'a.b.c@ok.test', 'a!#$%&*+/=?^_`{|}~-@ok.test', 'A@OK.test'])(
    '%s is one, and is written to as it was typed',
    async (to) => {
      const server = await startMailServer()
      await mailerTo(`smtp://127.0.0.1:${server.port}`).send(mailTo(to))
      expect(server.mails.map((mail) => mail.to)).toEqual([[to]])
      const [mail] = server.mails
      const header = mail?.parsed.to
      const values = Array.isArray(header) ? header.flatMap(({ value }) => value) : (header?.value ?? [])
      expect(values).toHaveLength(1)
    },
  )
})

test('a mail of megabytes arrives whole', async () => {
  const server = await startMailServer()
  const text = `${'.'.repeat(70)}\n.\n`.repeat(20_000)
  await mailerTo(`smtp://127.0.0.1:${server.port}`).send(mailTo(ANNA, { text, html: '漢'.repeat(500_000) }))
  const [mail] = server.mails
  expect(mail?.parsed.text?.trimEnd() === text.trimEnd()).toBe(true)
  expect(mail?.parsed.html === '漢'.repeat(500_000)).toBe(true)
})

test('nodemailer is loaded where the first mail is sent', () => {
  for (const file of ['smtp', 'message'])
    expect(readFileSync(new URL(`../../src/mail/${file}.ts`, import.meta.url), 'utf8')).not.toMatch(
      /^import (?!type).*nodemailer/m,
    )
})
