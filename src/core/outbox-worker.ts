// Empties the outbox: one process at a time, by looking now and then, and at once when a member has caused a mail.
import { setTimeout as sleep } from 'node:timers/promises'
import { MembershipError } from '../domain/errors.ts'
import { newId, randomDelay } from '../domain/secret.ts'
import type { Mailer } from '../mail/mail.ts'
import { deleteMail, dueMails, findAnyDue, postponeMail, type StoredMail } from '../storage/mails.ts'
import { bind } from '../storage/statement.ts'
import type { Core } from './core.ts'
import { type Delivery, deliverMail, type MailTexts } from './deliver-mail.ts'
import type { MailRequest, RequestedMail, RequestKind } from './mail-kind.ts'
import { admitMail } from './mail-limits.ts'
import { mailStatement } from './outbox.ts'

export interface OutboxWork extends MailTexts {
  readonly requests: ReadonlyMap<string, RequestKind>
}

/** How often it looks: LISTEN of PostgreSQL does not pass pgbouncer. */
const MIN_TICK_MS = 500
const MAX_TICK_MS = 2000
const LEASE = 'outbox'
/** A process that died keeps the others from working so long. */
const LEASE_MS = 30_000
const BATCH = 50
/** How long what cannot be handled, by a fault of ours, does not come up again. */
const FAULT_PAUSE_MS = 5 * 60_000
/** Mails to different people at once. */
const AT_ONCE = 4
/** How long the end of the process waits for a mail server: the mail is claimed, and goes twice at most. */
const MAX_STOP_MS = 3000
const MAX_ERROR = 500

export interface OutboxWorker {
  /** Does what is due now. Resolves when it is done; for tests and the command line. */
  run(): Promise<void>
  /** After what is being sent, three seconds later at most. */
  stop(): Promise<void>
}

/** Undefined if mail is not set up. Its timer keeps no process alive. */
export function startOutbox(core: Core, work: OutboxWork): OutboxWorker | undefined {
  const { mailer } = core
  return mailer && new Worker(core, mailer, work)
}

class Worker implements OutboxWorker {
  readonly #core: Core
  readonly #mailer: Mailer
  readonly #work: OutboxWork
  readonly #holder = newId()
  #timer: NodeJS.Timeout | undefined
  #running: Promise<void> | undefined
  /** Whether it has to look once more. */
  #isRung = false
  #isStopped = false

  constructor(core: Core, mailer: Mailer, work: OutboxWork) {
    this.#core = core
    this.#mailer = mailer
    this.#work = work
    core.outbox.onRing(() => void this.run())
    this.#plan()
  }

  run(): Promise<void> {
    if (this.#isStopped) return Promise.resolve()
    // While it works, it may have looked too early.
    this.#isRung = true
    this.#running ??= this.#workThrough()
    return this.#running
  }

  async stop(): Promise<void> {
    this.#isStopped = true
    clearTimeout(this.#timer)
    if (this.#running) await Promise.race([this.#running, sleep(MAX_STOP_MS, undefined, { ref: false })])
  }

  #plan(): void {
    if (this.#isStopped) return
    this.#timer = setTimeout(() => void this.run().then(() => this.#plan()), randomDelay(MIN_TICK_MS, MAX_TICK_MS)).unref()
  }

  async #workThrough(): Promise<void> {
    try {
      do {
        this.#isRung = false
        while (await this.#workOnce()) if (this.#isStopped) return
      } while (this.#isRung && !this.#isStopped)
    } catch (error) {
      if (!this.#isStopped) this.#core.log.warn({ err: error }, 'the outbox did not work; it is tried again')
    } finally {
      this.#running = undefined
    }
  }

  /** Whether there may be more to do at once. */
  async #workOnce(): Promise<boolean> {
    const { db, clock } = this.#core
    if (!(await db.first(findAnyDue, { now: clock.now() }))) return false
    const now = clock.now()
    if (!(await db.lease(LEASE, this.#holder, now, now + LEASE_MS))) return false
    try {
      const mails = await db.all(dueMails, { now: clock.now(), limit: BATCH })
      return await this.#doAll(mails)
    } finally {
      // Over at once, also for a process whose clock is behind: another one may have the next mail.
      await db.lease(LEASE, this.#holder, clock.now(), 0)
    }
  }

  /** One at a time for each recipient: two mails to one mailbox arrive in their order. Returns whether any was handled. */
  async #doAll(mails: readonly StoredMail[]): Promise<boolean> {
    let isAnyDone = false
    const queues = new Map<string, StoredMail[]>()
    for (const mail of mails) {
      const recipient = mail.recipientKey ?? mail.id
      queues.set(recipient, [...(queues.get(recipient) ?? []), mail])
    }
    const waiting = [...queues.values()]
    const serve = async (): Promise<void> => {
      for (let queue = waiting.shift(); queue !== undefined; queue = waiting.shift()) {
        for (const mail of queue) {
          if (this.#isStopped) return
          if (await this.#doOne(mail)) isAnyDone = true
        }
      }
    }
    await Promise.all(Array.from({ length: AT_ONCE }, serve))
    return isAnyDone
  }

  /** Returns whether it was handled. */
  async #doOne(mail: StoredMail): Promise<boolean> {
    const { db, clock, events } = this.#core
    // Renewed before each, as a mail server may take its time.
    const now = clock.now()
    if (!(await db.lease(LEASE, this.#holder, now, now + LEASE_MS))) return false
    try {
      if (mail.recipient === undefined) {
        await this.#decide(mail)
        return true
      }
      const delivery: Delivery = await deliverMail(this.#core, this.#mailer, this.#work, mail)
      if (delivery === 'sent' || delivery === 'failed' || delivery === 'postponed')
        events.emit('mail', { kind: mail.kind, outcome: delivery })
      return delivery !== 'taken'
    } catch (error) {
      // The next mail is not to wait for what is wrong with this one.
      // The database is closed: another process has it.
      if (this.#isStopped) return false
      this.#core.log.error({ err: error, mail: mail.id, kind: mail.kind }, 'a mail of the outbox could not be handled')
      await db.write(postponeMail, { id: mail.id, dueAt: clock.now() + FAULT_PAUSE_MS, error: String(error).slice(0, MAX_ERROR) })
      return false
    }
  }

  /** The request goes in the transaction that writes its mails: after a crash it is decided again, or was. */
  async #decide(stored: StoredMail): Promise<void> {
    const kind = this.#work.requests.get(stored.kind)
    const request: MailRequest = JSON.parse(stored.data)
    const decided = (await kind?.decide(this.#core, request)) ?? []
    const admitted: RequestedMail[] = []
    for (const mail of decided) if (await this.#admit(mail, request)) admitted.push(mail)
    await this.#core.db.transaction([
      bind(deleteMail, { id: stored.id }),
      ...admitted.map((mail) => mailStatement(this.#core, mail)),
    ])
  }

  async #admit({ kind, toKey, isRecovery = false }: RequestedMail, { network }: MailRequest): Promise<boolean> {
    try {
      return await admitMail(this.#core, { kind: kind.name, recipientKey: toKey, network, isRecovery })
    } catch (error) {
      if (error instanceof MembershipError && error.code === 'overloaded') return false
      throw error
    }
  }
}
