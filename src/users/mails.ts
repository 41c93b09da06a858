// What operators do with the outbox: list its mails, try them again, and send a test mail through it.
import { setTimeout as sleep } from 'node:timers/promises'
import type { Core } from '../core/core.ts'
import { deliverMail, type MailTexts } from '../core/deliver-mail.ts'
import { lifetimeEnd } from '../core/outbox.ts'
import { testMailStatement } from '../core/test-mail.ts'
import type { Mailer } from '../mail/mail.ts'
import { deleteMail, findMail, listMails as mailsAfter, retryMails as retry, type StoredMail } from '../storage/mails.ts'

const PAGE = 500

/** Those that wait and those that failed, the oldest first. */
export async function listMails(core: Core): Promise<readonly StoredMail[]> {
  const mails: StoredMail[] = []
  for (;;) {
    const page = await core.db.all(mailsAfter, { after: mails.at(-1)?.id ?? '', limit: PAGE })
    mails.push(...page)
    if (page.length < PAGE) return mails
  }
}

/** Lets the server try one mail by its id, or all, with its next look. Returns how many. */
export async function retryMails(core: Core, { id = '' }: { readonly id?: string | undefined } = {}): Promise<number> {
  const now = core.clock.now()
  const retried = await core.db.write(retry, { id, now, expiresAt: lifetimeEnd(false, now) })
  core.outbox.ring()
  return retried.length
}

/** How long a server may take to find a mail in the outbox: it looks at least every two seconds. */
const PATIENCE_MS = 5000
const PAUSE_MS = 50
/** Longer than a try takes. */
const MAX_WAIT_MS = 60_000

/** `by`: the server that runs on this database, or this process, if there is none. `error`: why the mail was not sent. */
export interface TestMailResult {
  readonly id: string
  readonly by: 'server' | 'command'
  readonly error: string | undefined
}

/** Puts a test mail into the outbox and waits for what becomes of it. It is tried once. */
export async function sendTestMail(
  core: Core,
  { to, mailer, texts }: { readonly to: string; readonly mailer: Mailer; readonly texts: MailTexts },
): Promise<TestMailResult> {
  const { id, statement } = testMailStatement(core, to)
  await core.db.transaction([statement])
  const startedAt = performance.now()
  let by: TestMailResult['by'] = 'server'
  for (;;) {
    const mail = await core.db.first(findMail, { id })
    if (!mail) return { id, by, error: undefined }
    const waitedMs = performance.now() - startedAt
    const error =
      mail.lastError ?? (waitedMs > MAX_WAIT_MS ? 'The server has taken it, and has no result after a minute.' : undefined)
    if (error !== undefined) {
      await core.db.write(deleteMail, { id })
      return { id, by, error }
    }
    if (mail.attempts === 0 && waitedMs > PATIENCE_MS) {
      if ((await deliverMail(core, mailer, texts, mail)) !== 'taken') by = 'command'
    } else await sleep(PAUSE_MS)
  }
}
