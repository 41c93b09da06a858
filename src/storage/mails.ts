// The outbox in SQL: mails that wait, those that could not be sent, and requests whose mail is still to be decided.
import { statement } from './statement.ts'

export type MailState = 'waiting' | 'failed'

export interface StoredMail {
  readonly id: string
  readonly kind: string
  readonly userId: string | undefined
  /** Undefined for a request. */
  readonly recipient: string | undefined
  readonly recipientKey: string | undefined
  readonly locale: string | undefined
  /** JSON. */
  readonly data: string
  readonly epoch: number | undefined
  readonly nonce: string
  readonly keyId: string
  readonly priority: number
  readonly state: MailState
  readonly attempts: number
  readonly dueAt: number
  readonly createdAt: number
  readonly expiresAt: number
  readonly lastError: string | undefined
}

/** A mail of a user. Values, not columns, name what a statement takes. */
export type NewStoredMail = {
  readonly id: string
  readonly kind: string
  /** Undefined for the operator's test mail. */
  readonly userId: string | undefined
  readonly recipient: string
  readonly recipientKey: string
  readonly locale: string | undefined
  readonly data: string
  readonly epoch: number | undefined
  readonly nonce: string
  readonly keyId: string
  readonly priority: number
  readonly now: number
  readonly expiresAt: number
}

export const insertMail = statement('insert mail', (db, p: NewStoredMail) =>
  db.insertInto('guildhall_mails').values({
    id: p.id,
    kind: p.kind,
    user_id: p.userId ?? null,
    recipient: p.recipient,
    recipient_key: p.recipientKey,
    locale: p.locale ?? null,
    data: p.data,
    epoch: p.epoch ?? null,
    nonce: p.nonce,
    key_id: p.keyId,
    priority: p.priority,
    state: 'waiting',
    due_at: p.now,
    created_at: p.now,
    expires_at: p.expiresAt,
  }),
)

/** One row waits for one kind and identifier. */
export const insertRequest = statement(
  'insert mail request',
  (
    db,
    p: {
      id: string
      kind: string
      requestKey: string
      locale: string | undefined
      data: string
      priority: number
      dueAt: number
      now: number
      expiresAt: number
    },
  ) =>
    db
      .insertInto('guildhall_mails')
      .values({
        id: p.id,
        kind: p.kind,
        request_key: p.requestKey,
        locale: p.locale ?? null,
        data: p.data,
        nonce: '',
        key_id: '',
        priority: p.priority,
        state: 'waiting',
        due_at: p.dueAt,
        created_at: p.now,
        expires_at: p.expiresAt,
      })
      .onConflict((conflict) => conflict.column('request_key').doNothing()),
)

const COLUMNS = [
  'id',
  'kind',
  'user_id',
  'recipient',
  'recipient_key',
  'locale',
  'data',
  'epoch',
  'nonce',
  'key_id',
  'priority',
  'state',
  'attempts',
  'due_at',
  'created_at',
  'expires_at',
  'last_error',
] as const

/** Those whose time has come, the most urgent first. */
export const dueMails = statement(
  'due mails',
  (db, p: { now: number; limit: number }) =>
    db
      .selectFrom('guildhall_mails')
      .select(COLUMNS)
      .where('state', '=', 'waiting')
      .where('due_at', '<=', p.now)
      .where('expires_at', '>', p.now)
      .orderBy('priority')
      .orderBy('due_at')
      .orderBy('id')
      .limit(p.limit),
  storedMail,
)

/** Whether there is anything to do: read at every tick. */
export const findAnyDue = statement('find any due mail', (db, p: { now: number }) =>
  db
    .selectFrom('guildhall_mails')
    .select('id')
    .where('state', '=', 'waiting')
    .where('due_at', '<=', p.now)
    .where('expires_at', '>', p.now)
    .limit(1),
)

/** Counts a try before it is made. Touches no row if another process was faster. */
export const claimMail = statement('claim mail', (db, p: { id: string; attempts: number; retryAt: number }) =>
  db
    .updateTable('guildhall_mails')
    .set((of) => ({ attempts: of('attempts', '+', 1), due_at: p.retryAt }))
    .where('id', '=', p.id)
    .where('attempts', '=', p.attempts)
    .where('state', '=', 'waiting'),
)

/** A mail that was sent or must not be, or a request that was decided. */
export const deleteMail = statement('delete mail', (db, p: { id: string }) =>
  db.deleteFrom('guildhall_mails').where('id', '=', p.id),
)

/** It comes up again then, and no try is counted. */
export const postponeMail = statement('postpone mail', (db, p: { id: string; dueAt: number; error: string }) =>
  db.updateTable('guildhall_mails').set({ due_at: p.dueAt, last_error: p.error }).where('id', '=', p.id),
)

/** It waits for its next try. */
export const keepMailError = statement('keep mail error', (db, p: { id: string; error: string }) =>
  db.updateTable('guildhall_mails').set({ last_error: p.error }).where('id', '=', p.id),
)

/** It is not tried again by itself. */
export const failMail = statement('fail mail', (db, p: { id: string; error: string; expiresAt: number }) =>
  db.updateTable('guildhall_mails').set({ state: 'failed', last_error: p.error, expires_at: p.expiresAt }).where('id', '=', p.id),
)

/** At once; one that failed as if it were new. One that waits keeps its tries, as its token is there. `id`: one mail, or `''` for all. */
export const retryMails = statement('retry mails', (db, p: { id: string; now: number; expiresAt: number }) =>
  db
    .updateTable('guildhall_mails')
    .set((of) => ({
      state: 'waiting',
      attempts: of.case().when('state', '=', 'failed').then(0).else(of.ref('attempts')).end(),
      expires_at: of.case().when('state', '=', 'failed').then(p.expiresAt).else(of.ref('expires_at')).end(),
      due_at: p.now,
    }))
    .where('recipient', 'is not', null)
    .where((of) => of.or([of(of.val(p.id), '=', ''), of('id', '=', p.id)]))
    .returning('id'),
)

/** The oldest first; requests are left out, as nobody knows yet whether they become a mail. */
export const listMails = statement(
  'list mails',
  (db, p: { after: string; limit: number }) =>
    db
      .selectFrom('guildhall_mails')
      .select(COLUMNS)
      .where('recipient', 'is not', null)
      .where('id', '>', p.after)
      .orderBy('id')
      .limit(p.limit),
  storedMail,
)

export const findMail = statement(
  'find mail',
  (db, p: { id: string }) => db.selectFrom('guildhall_mails').select(COLUMNS).where('id', '=', p.id),
  storedMail,
)

export const countMails = statement(
  'count mails',
  (db, _p: Record<never, never>) =>
    db
      .selectFrom('guildhall_mails')
      .select((of) => ['state', of.fn.countAll<number>().as('count')])
      .groupBy('state'),
  ({ state, count }) => ({ state, count: Number(count) }),
)

export const deleteExpiredMails = statement('delete expired mails', (db, p: { now: number; limit: number }) =>
  db
    .deleteFrom('guildhall_mails')
    .where('id', 'in', db.selectFrom('guildhall_mails').select('id').where('expires_at', '<=', p.now).limit(p.limit))
    .returning('id'),
)

interface MailRow {
  readonly id: string
  readonly kind: string
  readonly user_id: string | null
  readonly recipient: string | null
  readonly recipient_key: string | null
  readonly locale: string | null
  readonly data: string
  readonly epoch: number | null
  readonly nonce: string
  readonly key_id: string
  readonly priority: number
  readonly state: string
  readonly attempts: number
  readonly due_at: number
  readonly created_at: number
  readonly expires_at: number
  readonly last_error: string | null
}

function storedMail(row: MailRow): StoredMail {
  return {
    id: row.id,
    kind: row.kind,
    userId: row.user_id ?? undefined,
    recipient: row.recipient ?? undefined,
    recipientKey: row.recipient_key ?? undefined,
    locale: row.locale ?? undefined,
    data: row.data,
    epoch: row.epoch === null ? undefined : Number(row.epoch),
    nonce: row.nonce,
    keyId: row.key_id,
    priority: Number(row.priority),
    state: row.state === 'failed' ? 'failed' : 'waiting',
    attempts: Number(row.attempts),
    dueAt: Number(row.due_at),
    createdAt: Number(row.created_at),
    expiresAt: Number(row.expires_at),
    lastError: row.last_error ?? undefined,
  }
}
