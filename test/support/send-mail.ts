// A program that sends one mail by the URL in its arguments, and prints the error as JSON: its process trusts the CA that its environment names.
import { addressMail, MailError } from '../../src/mail/mail.ts'
import { createSmtpMailer } from '../../src/mail/smtp.ts'
import { readSmtpUrl } from '../../src/mail/smtp-url.ts'

const [, , url = '', act = 'send'] = process.argv
const server = readSmtpUrl(url)
if (!server) throw new Error('no SMTP URL')
const mailer = createSmtpMailer(server, { connectMs: 2000, silenceMs: 2000, deadlineMs: 3000 })
const from = { name: 'Harbour', address: 'noreply@example.org' }
const mail = addressMail(
  { subject: 'Hello', text: 'Hello.\n', html: '<p>Hello.</p>\n' },
  { id: 'mail-0001', to: 'anna@example.org', from },
)
const sending = act === 'verify' ? mailer.verify() : mailer.send(mail)
await sending.then(
  () => console.log('{}'),
  (error: unknown) => {
    if (!(error instanceof MailError)) throw error
    console.log(JSON.stringify({ message: error.message, permanent: error.permanent, all: JSON.stringify(error) + error.stack }))
  },
)
