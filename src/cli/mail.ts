// `guildhall mail test | list | retry`: a mail to see whether mails arrive, and what waits in the outbox.
import { createMailer } from '../core/mailer.ts'
import { domainOf, isMailAddress } from '../domain/mail-address.ts'
import type { Settings } from '../settings/options.ts'
import type { StoredMail } from '../storage/mails.ts'
import { listMails as allMails, retryMails as retryAll, sendTestMail as sendTest } from '../users/mails.ts'
import { table } from './columns.ts'
import { CommandError, type Json, plural, print, printError, printJson, UsageError } from './terminal.ts'
import { withMembership } from './with-membership.ts'

/** Goes through the outbox, so that it also shows whether the server empties it. */
export async function sendTestMail(address: string, { json }: Json): Promise<void> {
  if (!isMailAddress(address)) throw new UsageError('That is no mail address: write one, like anna@example.org, without a name.')
  await withMembership(
    'refuse',
    async ({ core, mails: texts, settings }) => {
      const { from, by: transport } = mailOf(settings)
      // In development the mail is printed: on the standard output it would spoil the JSON.
      const mailer = createMailer(mailOf(settings), json ? printError : print)
      const { id, by, error } = await sendTest(core, { to: address, mailer, texts })
      if (error !== undefined) throw new CommandError(`${error} No mail was sent.`)
      const isSent = transport !== 'console'
      if (json)
        return printJson({ sent: isSent, by, to: address, from: from.address, messageId: `<${id}@${domainOf(from.address)}>` })
      if (isSent)
        print(`The mail server has taken a mail to ${address}, from ${from.address}. Look whether it arrives, and where.`)
      else if (by === 'server') print('The server has printed the mail and keeps it for /dev/mailbox: SMTP_URL is not set.')
      if (by === 'command') printError(NO_SERVER)
    },
    async (settings) => void mailOf(settings),
  )
}

const NO_SERVER =
  'No server took it from the outbox within five seconds, so this command sent it itself. Other mails wait until guildhall serve runs.'

function mailOf({ mail }: Settings): NonNullable<Settings['mail']> {
  if (!mail) throw new CommandError('No mail is set up: write SMTP_URL and MAIL_FROM.')
  return mail
}

export async function listMails({ json }: Json): Promise<void> {
  await withMembership('refuse', async ({ core }) => {
    const mails = await allMails(core)
    if (json) return printJson(mails.map(asJson))
    if (mails.length === 0) return print('No mail waits, and none has failed.')
    print(table([['Id', 'Mail', 'To', 'State', 'Tries', 'Since (UTC)', 'Next try (UTC)', 'Last error'], ...mails.map(rowOf)]))
    print(plural(mails.length, 'mail'))
  })
}

function rowOf({ id, kind, recipient = '-', state, attempts, createdAt, dueAt, lastError = '-' }: StoredMail): string[] {
  return [id, kind, recipient, state, String(attempts), moment(createdAt), state === 'failed' ? '-' : moment(dueAt), lastError]
}

function moment(at: number): string {
  return new Date(at).toISOString().slice(0, 19).replace('T', ' ')
}

function asJson({ id, kind, userId, recipient, state, attempts, createdAt, dueAt, expiresAt, lastError }: StoredMail): object {
  return {
    id,
    kind,
    userId: userId ?? null,
    to: recipient ?? null,
    state,
    tries: attempts,
    createdAt: new Date(createdAt),
    nextTryAt: state === 'failed' ? null : new Date(dueAt),
    /** Of a failed mail: when it leaves this list. */
    expiresAt: new Date(expiresAt),
    lastError: lastError ?? null,
  }
}

export async function retryMails(id: string | undefined, { json }: Json): Promise<void> {
  await withMembership('refuse', async ({ core }) => {
    const retried = await retryAll(core, { id })
    if (id !== undefined && retried === 0)
      throw new CommandError('There is no mail with that id; mail list shows which there are. Nothing was changed.')
    if (json) return printJson({ retried })
    if (retried === 0) return print('No mail waits, and none has failed. Nothing was changed.')
    print(`${plural(retried, 'mail')} will be tried at once, by the server that runs on this database.`)
  })
}
