// A mailbox for the tests of an application: takes the mails of a membership, and lets a test wait for one.
import { onTimeout } from '../database/timeout.ts'
import { type Duration, parseDuration } from '../domain/duration.ts'
import type { Mail, Mailer } from '../mail/mail.ts'

export interface TestMailbox extends Mailer {
  /** All mails so far, the oldest first. */
  readonly mails: readonly Mail[]
  /**
   * The first mail to this address that `next` has not returned yet; waits for it, by the real clock. Rejects if none arrives in time.
   * Default of `within`: `'5s'`. With a `testClock`, move it: mails that strangers cause are sent up to two seconds later.
   */
  next(to: string, options?: { readonly within?: Duration }): Promise<Mail>
}

/**
 * A mailer that sends nothing and keeps every mail.
 *
 * @example
 * const mailbox = testMailbox()
 * const membership = createMembership({ baseUrl, database: 'sqlite::memory:', mail: { mailer: mailbox, from: 'noreply@example.org' } })
 * const { subject, text } = await mailbox.next('alice@example.org')
 */
export function testMailbox(): TestMailbox {
  const mails: Mail[] = []
  const returned = new Set<Mail>()
  const waiting = new Set<() => boolean>()
  const take = (to: string): Mail | undefined => {
    const mail = mails.find((mail) => mail.to.toLowerCase() === to.toLowerCase() && !returned.has(mail))
    if (mail) returned.add(mail)
    return mail
  }
  return {
    mails,
    async send(mail) {
      mails.push(mail)
      // Those that get a mail leave the set.
      for (const arrived of waiting) arrived()
    },
    next(to, { within = '5s' } = {}) {
      const ms = parseDuration(within)
      if (ms === undefined) throw new TypeError(`testMailbox: within must be a duration like '5s', got '${within}'`)
      return new Promise((resolve, reject) => {
        const arrived = (): boolean => {
          const mail = take(to)
          if (!mail) return false
          stopTimer()
          waiting.delete(arrived)
          resolve(mail)
          return true
        }
        const stopTimer = onTimeout(ms, () => {
          waiting.delete(arrived)
          const others =
            mails.length === 0 ? 'no mail came at all' : `there are mails to ${mails.map((mail) => mail.to).join(', ')}`
          reject(new Error(`testMailbox: no mail to ${to} came within ${within}; ${others}`))
        })
        if (!arrived()) waiting.add(arrived)
      })
    },
  }
}
