// Mail as the operator sets it up and looks after it: settings, `guildhall mail`, `guildhall doctor`, metrics.
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { createMembership } from '../../src/index.ts'
import { readConfig } from '../../src/server/config.ts'
import { mergeEnvironment } from '../../src/server/env.ts'
import { mailSettingsOf } from '../../src/server/open-membership.ts'
import { settingsFrom } from '../../src/settings/check.ts'
import { bytesAtRest, inDatabase } from '../support/database-inspector.ts'
import { ask, newFolder, PRODUCTION, post, run, startServer, type TestServer, type Variables } from '../support/server.ts'
import { startMailServer } from '../support/smtp.ts'
import { until } from '../support/until.ts'

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

const CHEAP = { HASH_MEMORY_KIB: '1024', HASH_PASSES: '1' }
const password = 'violet harbour lantern'

/** A folder with a database and a member whose address is proven. */
async function folderWithAnna(): Promise<string> {
  const folder = newFolder()
  await run(['user', 'create', 'anna', '--password-stdin'], { folder, env: CHEAP, stdin: password })
  const sql = "UPDATE guildhall_users SET email = 'anna@example.org', email_key = 'anna@example.org', email_verified_at = 1"
  await inDatabase({ database: databaseOf(folder) }, sql)
  return folder
}

const databaseOf = (folder: string) => `sqlite:${join(folder, 'data/guildhall.db')}`

describe('guildhall mail test', () => {
  test('goes through the outbox of the running server', async () => {
    const mailServer = await startMailServer()
    const env = { SMTP_URL: `smtp://127.0.0.1:${mailServer.port}`, MAIL_FROM: FROM, SITE_NAME: 'Harbour' }
    const { folder } = await startServer({ env })
    const { code, stdout, stderr } = await run(['mail', 'test', 'anna@example.org'], { env, folder })
    expect([code, stderr, stdout]).toEqual([
      0,
      '',
      expect.stringContaining('taken a mail to anna@example.org, from noreply@example.org'),
    ])
    expect(mailServer.mails).toMatchObject([{ from: FROM, to: ['anna@example.org'], parsed: { subject: 'A test mail' } }])
    const again = JSON.parse((await run(['mail', 'test', 'anna@example.org', '--json'], { env, folder })).stdout)
    const messageId = mailServer.mails[1]?.parsed.messageId
    expect(again).toEqual({ sent: true, by: 'server', to: 'anna@example.org', from: FROM, messageId })

    mailServer.trouble('recipient', 550, 'no such user')
    expect(await run(['mail', 'test', 'nobody@example.org'], { env, folder })).toMatchObject({
      code: 1,
      stdout: '',
      stderr: `The mail server 127.0.0.1:${mailServer.port} refuses the recipient (550 no such user). No mail was sent.\n`,
    })
    mailServer.trouble('recipient', 450, 'not now')
    expect(await run(['mail', 'test', 'anna@example.org'], { env, folder })).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('450 not now'),
    })
    expect(JSON.parse((await run(['mail', 'list', '--json'], { env, folder })).stdout)).toEqual([])
  })

  test('sends it itself where no server runs, and says so; in development it prints it', async () => {
    const mailServer = await startMailServer()
    const folder = await folderWithAnna()
    const env = { SMTP_URL: `smtp://127.0.0.1:${mailServer.port}`, MAIL_FROM: FROM }
    const [sent, printed, json] = await Promise.all([
      run(['mail', 'test', 'anna@example.org'], { env, folder }),
      run(['mail', 'test', 'anna@example.org'], { folder }),
      run(['mail', 'test', 'anna@example.org', '--json'], { folder }),
    ])
    expect(sent).toMatchObject({ code: 0, stderr: expect.stringContaining('No server took it') })
    expect(mailServer.mails).toHaveLength(1)
    expect(printed.code).toBe(0)
    expect(printed.stdout).toMatch(
      /only printed: SMTP_URL is not set[\s\S]*To: +anna@example.org[\s\S]*\n {2}http:\/\/localhost:3000\/\n/,
    )
    expect(JSON.parse(json.stdout)).toMatchObject({ sent: false, by: 'command' })
  })

  test('says what is missing', async () => {
    const folder = await folderWithAnna()
    expect(
      await run(['mail', 'test', 'anna@example.org'], {
        folder,
        env: { ...PRODUCTION, DATABASE_URL: 'sqlite:./data/guildhall.db' },
      }),
    ).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('write SMTP_URL'),
    })
    expect(await run(['mail', 'test', 'anna@example.org'])).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('no database'),
    })
    expect(await run(['mail', 'test', 'a@x.test,b@y.test'], { folder })).toMatchObject({ code: 2 })
  })
})

describe('guildhall mail list and retry', () => {
  test('an operator sees what waits and why, and has it tried again; other commands send nothing', async () => {
    const mailServer = await startMailServer()
    mailServer.trouble('body', 451, 'try later')
    const folder = await folderWithAnna()
    const env = { SMTP_URL: `smtp://127.0.0.1:${mailServer.port}`, MAIL_FROM: FROM }
    const server = await startServer({ folder, env })
    expect((await run(['mail', 'list'], { folder, env })).stdout).toBe('No mail waits, and none has failed.\n')
    expect((await run(['mail', 'retry'], { folder, env })).stdout).toMatch(/^No mail waits/)
    await changePassword(server)
    await until(async () => (await listed(folder, env))[0]?.lastError != null)
    const [mail] = await listed(folder, env)
    expect(mail).toMatchObject({
      kind: 'password-changed',
      to: 'anna@example.org',
      state: 'waiting',
      tries: 1,
      lastError: expect.stringContaining('451 try later'),
    })
    const { stdout } = await run(['mail', 'list'], { folder, env })
    expect(stdout).toMatch(
      /Id +Mail +To +State[\s\S]*password-changed +anna@example\.org +waiting +1 [\s\S]*451 try later[\s\S]*\n1 mail\n$/,
    )

    expect(await run(['mail', 'retry', 'nobody'], { folder, env })).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('no mail with that id'),
    })
    mailServer.trouble('body', undefined)
    expect(await run(['mail', 'retry', mail?.id ?? ''], { folder, env })).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/^1 mail /),
    })
    await until(() => mailServer.mails.length === 1)
    await until(async () => (await listed(folder, env)).length === 0)
    mailServer.trouble('body', 554, 'spam')
    await run(['mail', 'test', 'anna@example.org'], { folder, env })
    const metrics = await metricsOf(server)
    for (const outcome of ['postponed', 'sent', 'failed'])
      expect(metrics).toContain(`guildhall_mail_tries_total{outcome="${outcome}"} 1\n`)
    expect(metrics).toContain('guildhall_mails{state="waiting"} 0\n')
  })

  test('a database holds no piece of what a mail says', async () => {
    const folder = await folderWithAnna()
    const env = { SMTP_URL: 'smtp://127.0.0.1:1', MAIL_FROM: FROM }
    const server = await startServer({ folder, env })
    await changePassword(server)
    await until(async () => (await listed(folder, env))[0]?.lastError != null)
    expect(await bytesAtRest({ database: databaseOf(folder) })).not.toMatch(/Your password was changed|Subject/)
  })
})

interface ListedMail {
  readonly id: string
  readonly lastError: string | null
}

async function listed(folder: string, env: Variables): Promise<readonly ListedMail[]> {
  return JSON.parse((await run(['mail', 'list', '--json'], { folder, env })).stdout)
}

async function metricsOf({ url }: TestServer): Promise<string> {
  return (await fetch(`${url}/metrics`)).text()
}

async function changePassword(server: TestServer): Promise<void> {
  const { headers } = await post(server, '/api/login', { username: 'anna', password })
  const cookie = String(headers['set-cookie']).split(';')[0] ?? ''
  const body = { currentPassword: password, newPassword: 'granite otter ferry' }
  expect((await post(server, '/api/account/password', body, { cookie })).status).toBe(204)
}

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

test('a mail server that hangs makes the site no less ready; the metrics say that a mail waits', async () => {
  const mailServer = await startMailServer()
  mailServer.trouble('greeting', 'hang')
  const env = { SMTP_URL: `smtp://127.0.0.1:${mailServer.port}`, MAIL_FROM: FROM }
  const folder = await folderWithAnna()
  const server = await startServer({ folder, env })
  await changePassword(server)
  await until(() => mailServer.open() > 0)
  expect((await fetch(`${server.url}/readyz`)).status).toBe(200)
  expect(await metricsOf(server)).toMatch(/^guildhall_mails\{state="waiting"\} 1$/m)
})

test('a site without mail has no numbers of mails', async () => {
  const server = await startServer({ env: { ...PRODUCTION, METRICS_TOKEN: 'a-token-for-the-collector' } })
  const { status, text } = await ask('/metrics', {
    port: server.port,
    headers: { Authorization: 'Bearer a-token-for-the-collector' },
  })
  expect([status, text.includes('guildhall_logins_total'), text.includes('guildhall_mail')]).toEqual([200, true, false])
})

test('a site with a mail server that is away serves as before', async () => {
  const server = await startServer({ env: { SMTP_URL: 'smtp://127.0.0.1:1', MAIL_FROM: FROM } })
  expect((await fetch(`${server.url}/readyz`)).status).toBe(200)
})
