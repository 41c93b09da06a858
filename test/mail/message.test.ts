// A mail as it arrives: its bytes, and what a parser makes of them.
import { describe, expect, test } from 'vitest'
import { composeMail, type MailBlock } from '../../src/mail/compose.ts'
import { addressMail, type MailContent } from '../../src/mail/mail.ts'
import { createSmtpMailer } from '../../src/mail/smtp.ts'
import { readSmtpUrl } from '../../src/mail/smtp-url.ts'
import { startMailServer, type TakenMail } from '../support/smtp.ts'

const CONTENT: MailContent = { subject: 'Hello', text: 'Hello.\n', html: '<p>Hello.</p>\n' }
const SHORT_LINK = 'https://example.org/reset?token=Zk3vQ9xT7bL1mN5pR8sW2yA4cE6gH0'
const LONG_LINK = `https://members.example.org/reset-password?token=${'Zk3v='.repeat(12)}&x==3D`

async function arrived(content: Partial<MailContent>, { name = 'Harbour', id = 'mail-0001' } = {}): Promise<TakenMail> {
  const server = await startMailServer()
  const smtp = readSmtpUrl(`smtp://127.0.0.1:${server.port}`)
  if (!smtp) throw new Error('no server')
  const from = { name, address: 'noreply@example.org' }
  await createSmtpMailer(smtp).send(addressMail({ ...CONTENT, ...content }, { id, to: 'anna@example.org', from }))
  const [mail] = server.mails
  if (!mail) throw new Error('no mail')
  return mail
}

function composed(blocks: readonly MailBlock[], { siteName = 'Harbour', foot = 'If it was not you, do nothing.' } = {}) {
  return composeMail({ subject: 'A new password', lang: 'en', heading: 'Choose a password', blocks, foot }, siteName)
}

const headerOf = ({ bytes }: TakenMail) => bytes.toString('latin1').split('\r\n\r\n')[0] ?? ''
const fieldsOf = (mail: TakenMail) =>
  headerOf(mail)
    .replaceAll(/\r\n[ \t]/g, ' ')
    .split('\r\n')
    .map((line) => line.split(':')[0] ?? '')

const NAMES = [
  'Harbour, the "old" one', 'Harbour <evil@evil.test>', 'evil@evil.test, Harbour', '海港會員', '海港，會員；「好」'.repeat(7), "L'été; à; bientôt:",
  'Harbour\r\nBcc: evil@evil.test', 'Harbour\nX: y', 'Harbour\0', 'a\\"b\\', '(comment', '=?utf-8?q?evil?=', '"', 'Harbour\u2028X: y', '👩‍👩‍👧'.repeat(8),
] // biome-ignore format: a list of names reads as a block

describe('E-06: whatever the site is called,', () => {
  test.each(NAMES)('%j, a mail comes from one mailbox and has no header of anybody else’s', async (name) => {
    const mail = await arrived({ subject: name }, { name })
    const said = name
      .replace(/[\p{Cc}\s\u2028]+/gu, ' ')
      .replaceAll('=?', '= ?')
      .trim()
    expect(mail.parsed.from?.value).toEqual([{ address: 'noreply@example.org', name: said }])
    expect(mail.from).toBe('noreply@example.org')
    expect(mail.to).toEqual(['anna@example.org'])
    expect(mail.parsed.subject).toBe(said)
    expect(fieldsOf(mail).toSorted()).toEqual([
      'Auto-Submitted', 'Content-Type', 'Date', 'From', 'MIME-Version', 'Message-ID', 'References', 'Subject', 'To',
    ]) // biome-ignore format: a list of names reads as a block
    expect(headerOf(mail)).toMatch(/^[\x20-\x7e\t\r\n]*$/)
    expect(
      headerOf(mail)
        .split('\r\n')
        .every((line) => line.length <= 78),
    ).toBe(true)
  })
})

describe('a link', () => {
  test.each([SHORT_LINK, LONG_LINK])('%s is alone on a line of the bytes, as it is', async (url) => {
    const content = composed([{ paragraph: 'Hello Anna.' }, { button: 'Choose', url }])
    const mail = await arrived(content)
    const bytes = mail.bytes.toString('latin1')
    const inHtml = url.replaceAll('&', '&amp;')
    expect(bytes.split('\r\n').filter((line) => line === url || line === inHtml)).toEqual([url, inHtml])
    expect(bytes).toContain(`href="${inHtml}"`)
    expect(bytes).not.toContain('quoted-printable')
    expect(mail.parsed.text?.split('\n')).toContain(url)
  })

  test('has less than 76 characters on its line where it is no longer by itself', async () => {
    const { text } = composed([
      { button: 'A button with a text that is rather long, as some languages have them', url: SHORT_LINK },
    ])
    expect(text.split('\n')).toContain(SHORT_LINK)
    expect(text.split('\n').every((line) => line.length < 76)).toBe(true)
  })

  test('is alone on its line beside Chinese too, once the base64 is decoded', async () => {
    const mail = await arrived(composed([{ paragraph: '請設定新密碼。' }, { button: '設定', url: LONG_LINK }]))
    const bytes = mail.bytes.toString('latin1')
    expect(bytes.match(/Content-Transfer-Encoding: (\S+)/g)).toEqual(Array(2).fill('Content-Transfer-Encoding: base64'))
    expect(bytes.split('\r\n').every((line) => line.length <= 78)).toBe(true)
    const [, body = ''] = /text\/plain.*?\r\n\r\n(.*?)\r\n--/s.exec(bytes) ?? []
    expect(Buffer.from(body, 'base64').toString().split('\r\n')).toContain(LONG_LINK)
    expect(mail.parsed.text?.split('\n')).toContain(LONG_LINK)
  })

  test.each(['javascript:alert(1)', 'data:text/html,x', '/reset', ''])('to %j is a mistake of the program', (url) => {
    expect(() => composed([{ button: 'Go', url }])).toThrow(TypeError)
  })
})

describe('two requests', () => {
  test('are two mails: nothing in them folds one into the other, and the same one sent again is known', async () => {
    const [one, other, again] = [
      await arrived({}, { id: 'first-0001' }),
      await arrived({}, { id: 'other-0002' }),
      await arrived({}, { id: 'first-0001' }),
    ]
    expect(one.parsed.messageId).toBe('<first-0001@example.org>')
    expect(again.parsed.messageId).toBe(one.parsed.messageId)
    expect(other.parsed.messageId).not.toBe(one.parsed.messageId)
    expect(other.parsed.references).not.toEqual(one.parsed.references)
    expect(one.parsed.inReplyTo).toBeUndefined()
    expect(one.parsed.headers.get('auto-submitted')).toBe('auto-generated')
  })

  test.each(['', 'short', 'a b c d e f', 'x\r\nBcc: evil@evil.test', 'a@b.example.org', `${'a'.repeat(65)}`])(
    'an id like %j is refused',
    (id) => {
      expect(() => addressMail(CONTENT, { id, to: 'anna@example.org', from: { name: '', address: 'a@example.org' } })).toThrow(
        TypeError,
      )
    },
  )
})

describe('E-07: what others have typed', () => {
  const evil = '<a href=https://evil.test>click</a>\r\n\r\nhttps://evil.test/ "&\0\u202e'

  test('is text in the HTML and makes no line of its own in the text', async () => {
    const content = composed([{ paragraph: `Hello ${evil}` }, { code: evil }], { siteName: evil, foot: evil })
    const mail = await arrived(content)
    expect(mail.parsed.html).not.toContain('<a href=https')
    expect(mail.parsed.html).toContain('&lt;a href=https://evil.test&gt;click')
    for (const line of mail.parsed.text?.split('\n') ?? []) expect(line).not.toMatch(/^https:/)
    expect(mail.parsed.text).not.toMatch(/[\0\u202e]/)
  })

  test('a line that is a dot, and words that begin like a header, arrive as they are', async () => {
    const text = 'From here\n.\n..\nBcc: evil@evil.test\nend\n'
    expect((await arrived({ text })).parsed.text?.trimEnd()).toBe(text.trimEnd())
  })

  test('a text is never the name of a file', async () => {
    const mail = await arrived({ text: '/etc/passwd', html: 'file:///etc/passwd' })
    expect(mail.parsed.text?.trim()).toBe('/etc/passwd')
    expect(mail.bytes.toString()).not.toContain('root:')
  })
})

test('text and HTML say the same, from heading to foot', async () => {
  const foot = 'You got this because somebody typed your address.'
  const mail = await arrived(
    composed([{ paragraph: 'Hello Anna.' }, { code: 'BCDF-GHJK' }, { button: 'Open', url: SHORT_LINK }], { foot }),
  )
  const html = String(mail.parsed.html)
  for (const said of ['Harbour', 'Choose a password', 'Hello Anna.', 'BCDF-GHJK', 'Open', SHORT_LINK, foot]) {
    expect(mail.parsed.text).toContain(said)
    expect(html).toContain(said)
  }
  expect(mail.parsed.text).not.toMatch(/\n{3}| $/m)
  expect(html).toMatch(/^<!doctype html>\n<html lang="en">/)
})
