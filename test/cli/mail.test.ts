// Mail as the operator sets it up: settings, `guildhall mail test`, `guildhall doctor`.
import { describe, expect, test } from 'vitest'
import { createMembership } from '../../src/index.ts'
import { readConfig } from '../../src/server/config.ts'
import { mergeEnvironment } from '../../src/server/env.ts'
import { mailSettingsOf } from '../../src/server/open-membership.ts'
import { settingsFrom } from '../../src/settings/check.ts'
import { newFolder, PRODUCTION, run, startServer, type Variables } from '../support/server.ts'
import { startMailServer } from '../support/smtp.ts'

const FROM = 'noreply@example.org'
const reading = (env: Variables) => readConfig(mergeEnvironment(env, newFolder()))

describe('settings', () => {
  test('without mail, production starts as before, and development prints mails', () => {
    const { config, faults, warnings } = reading(PRODUCTION)
    expect([faults, warnings]).toEqual([[], []])
    expect(config && mailSettingsOf(config)).toBeUndefined()
    const development = reading({}).config
    expect(development && mailSettingsOf(development)).toEqual({
      by: 'console',
      from: { name: 'Guildhall', address: 'noreply@localhost' },
    })
  })

  test('a mail server is set up by its address and the one that mails come from', () => {
    const { config, faults } = reading({
      ...PRODUCTION,
      SITE_NAME: 'Harbour',
      SMTP_URL: 'smtps://u:hidden@mail.example.org',
      MAIL_FROM: FROM,
    })
    expect(faults).toEqual([])
    expect(config && mailSettingsOf(config)).toMatchObject({
      by: { host: 'mail.example.org', port: 465 },
      from: { name: 'Harbour', address: FROM },
    })
    expect(JSON.stringify(config)).not.toContain('hidden')
  })

  test.each<[Variables, string]>([
    [{ SMTP_URL: 'smtp://mail.example.org' }, 'MAIL_FROM'],
    [{ SMTP_URL: 'smtp://u:p/ss@mail.example.org', MAIL_FROM: FROM }, 'SMTP_URL'],
    [{ SMTP_URL: 'smtp://mail.example.org', MAIL_FROM: 'Harbour <noreply@example.org>' }, 'MAIL_FROM'],
    [{ SMTP_URL: 'smtp://mail.example.org', MAIL_FROM: 'a@example.org,b@example.org' }, 'MAIL_FROM'],
    [{ EMAIL: 'required' }, 'EMAIL'],
    [{ EMAIL: 'on' }, 'EMAIL'],
  ])('production with %j is a fault', (env, name) => {
    expect(reading({ ...PRODUCTION, ...env }).faults.map((fault) => fault.split(' ')[0])).toEqual([name])
  })

  test('no piece of a password that is not percent-encoded is printed', async () => {
    const { code, stdout, stderr } = await run(['doctor'], {
      env: { SMTP_URL: 'smtp://robot:hid/den@mail.example.org', MAIL_FROM: FROM },
    })
    expect(code).toBe(1)
    expect(stdout).toMatch(/SMTP_URL must be .*percent-encoded: @ is %40/)
    expect(stdout + stderr).not.toMatch(/hid|den@|robot/)
  })

  test('an EMAIL that other programs understand stops no site', () => {
    const { faults, warnings } = reading({ ...PRODUCTION, EMAIL: 'anna@example.org' })
    expect(faults).toEqual([])
    expect(warnings).toEqual([expect.stringMatching(/^EMAIL holds an address/)])
  })

  test('EMAIL follows from whether there is mail', () => {
    const email = (options: object) =>
      settingsFrom({ baseUrl: 'https://example.org', database: 'sqlite::memory:', ...options }).settings.email
    expect(email({})).toBe('off')
    expect(email({ production: false })).toBe('optional')
    expect(email({ mail: { url: 'smtp://mail.example.org', from: FROM } })).toBe('optional')
    expect(email({ mail: { url: 'smtp://mail.example.org', from: FROM }, email: 'required' })).toBe('required')
  })

  test.each<[object, RegExp]>([
    [{ from: FROM }, /mail must have a url or a mailer/],
    [{ url: 'smtp://mail.example.org' }, /mail\.from is required/],
    [{ mailer: {}, from: FROM }, /mail\.mailer must have a function send/],
    [{ mailer: { send() {} }, url: 'smtp://mail.example.org', from: FROM }, /mail\.mailer stands in the place of mail\.url/],
    [{ url: 'smtp://robot:hid/den@mail.example.org', from: FROM }, /^createMembership: mail\.url must be (?!.*hid)/],
    [{ mailer: { send() {} }, from: 'a@b@c' }, /mail\.from must be one mail address/],
    [{ uri: 'x', from: FROM }, /there is no option mail\.uri/],
  ])('createMembership with mail %j says what is wrong', (mail, text) => {
    const options: object = { baseUrl: 'http://localhost', database: 'sqlite::memory:', mail }
    expect(() => createMembership(options as Parameters<typeof createMembership>[0])).toThrow(text)
  })

  test('an application brings its mails out itself', () => {
    const mailer = { send: () => Promise.resolve() }
    const { settings, faults } = settingsFrom({
      baseUrl: 'https://example.org',
      database: 'postgres://db/x',
      secret: PRODUCTION.SECRET,
      mail: { mailer, from: FROM },
    })
    expect(faults).toEqual([])
    expect(settings.mail?.by).toBe(mailer)
  })
})

describe('guildhall mail test', () => {
  test('sends a mail at once, without a database', async () => {
    const server = await startMailServer()
    const env = { SMTP_URL: `smtp://127.0.0.1:${server.port}`, MAIL_FROM: FROM, SITE_NAME: 'Harbour' }
    const { code, stdout } = await run(['mail', 'test', 'anna@example.org'], { env })
    expect([code, stdout]).toEqual([0, expect.stringContaining('has taken a mail to anna@example.org, from noreply@example.org')])
    expect(server.mails).toMatchObject([{ from: FROM, to: ['anna@example.org'], parsed: { subject: 'A test mail' } }])
    const again = JSON.parse((await run(['mail', 'test', 'anna@example.org', '--json'], { env })).stdout)
    expect(again).toMatchObject({ sent: true, to: 'anna@example.org', from: FROM, messageId: server.mails[1]?.parsed.messageId })
  })

  test('says what the server said where it refuses, and that there is no mail where there is none', async () => {
    const server = await startMailServer()
    server.trouble('recipient', 550, 'no such user')
    const env = { SMTP_URL: `smtp://127.0.0.1:${server.port}`, MAIL_FROM: FROM }
    expect(await run(['mail', 'test', 'nobody@example.org'], { env })).toMatchObject({
      code: 1,
      stderr: `The mail server 127.0.0.1:${server.port} refuses the recipient (550 no such user). No mail was sent.\n`,
    })
    expect(await run(['mail', 'test', 'anna@example.org'], { env: PRODUCTION })).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('write SMTP_URL'),
    })
    expect(await run(['mail', 'test', 'a@x.test,b@y.test'], { env })).toMatchObject({ code: 2 })
    expect(server.mails).toEqual([])
  })

  test('prints it in development, where no server is set up', async () => {
    const { code, stdout } = await run(['mail', 'test', 'anna@example.org'])
    expect(code).toBe(0)
    expect(stdout).toMatch(
      /only printed: SMTP_URL is not set[\s\S]*To: +anna@example.org[\s\S]*\n {2}http:\/\/localhost:3000\/\n/,
    )
    const { stdout: json } = await run(['mail', 'test', 'anna@example.org', '--json'])
    expect(JSON.parse(json)).toMatchObject({ sent: false })
  })
})

describe('guildhall doctor', () => {
  const found = async (env: Variables) => JSON.parse((await run(['doctor', '--json'], { env })).stdout).findings

  test('says that without mail there is no way back in', async () => {
    expect(await found({ ...PRODUCTION, BASE_URL: 'https://localhost' })).toContainEqual({
      mark: 'warning',
      text: expect.stringMatching(/no way back in.*SMTP_URL and MAIL_FROM/),
    })
  })

  test('greets the mail server, and says why it cannot', async () => {
    const server = await startMailServer()
    const env = { SMTP_URL: `smtp://127.0.0.1:${server.port}`, MAIL_FROM: FROM }
    expect(await found(env)).toContainEqual({ mark: 'ok', text: expect.stringContaining(`127.0.0.1:${server.port} answers`) })
    server.trouble('greeting', 554, 'go away')
    expect(await found(env)).toContainEqual({ mark: 'error', text: expect.stringContaining('go away') })
    expect(server.mails).toEqual([])
  })
})

test('a site with a mail server that is away serves as before', async () => {
  const server = await startServer({ env: { SMTP_URL: 'smtp://127.0.0.1:1', MAIL_FROM: FROM } })
  expect((await fetch(`${server.url}/readyz`)).status).toBe(200)
})
