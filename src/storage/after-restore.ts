// Ends what a database that was put back holds of earlier days: sessions, links, flows, mails that wait.
import type { Database } from './contract.ts'
import { type Statement, statement } from './statement.ts'

/** How many of each were ended. */
export interface Ended {
  readonly users: number
  readonly sessions: number
  readonly tokens: number
  readonly flows: number
  readonly mails: number
}

type Limit = { readonly limit: number }

/** Rows per statement: PostgreSQL gives one statement half a second. */
const BATCH = 500

/**
 * A session that was logged out, a link that was used and a mail that was sent since the copy was made would live again. Undo links stay:
 * their owners have no other way to take a change back. Run again, it ends what came meanwhile.
 */
export async function endAfterRestore(db: Database, now: number): Promise<Ended> {
  return {
    // First, as the epochs end sessions in Redis too.
    users: await raiseEpochs(db, now),
    sessions: await deleteAll(db, deleteSessions),
    tokens: await deleteAll(db, deleteTokens),
    flows: await deleteAll(db, deleteFlows),
    mails: await deleteAll(db, deleteMails),
  }
}

async function raiseEpochs(db: Database, now: number): Promise<number> {
  let users = 0
  let after = ''
  for (;;) {
    const page = await db.all(userIds, { after, limit: BATCH })
    const last = page.at(-1)?.id
    if (last === undefined) return users
    await db.write(raiseEpochsBetween, { after, last, now })
    users += page.length
    after = last
  }
}

async function deleteAll(db: Database, deleteSome: Statement<Limit, unknown>): Promise<number> {
  let deleted = 0
  for (;;) {
    const rows = await db.write(deleteSome, { limit: BATCH })
    deleted += rows.length
    if (rows.length < BATCH) return deleted
  }
}

const userIds = statement('user ids', (db, p: { after: string; limit: number }) =>
  db.selectFrom('guildhall_users').select('id').where('id', '>', p.after).orderBy('id').limit(p.limit),
)

/**
 * Epochs rise by one with each change: the milliseconds since 1970 are far above those that any session has, and above those of an earlier
 * restore.
 */
const raiseEpochsBetween = statement('raise epochs', (db, p: { after: string; last: string; now: number }) =>
  db
    .updateTable('guildhall_users')
    .set((expression) => ({
      credential_epoch: expression
        .case()
        .when('credential_epoch', '<', p.now)
        .then(p.now)
        .else(expression('credential_epoch', '+', 1))
        .end(),
    }))
    .where('id', '>', p.after)
    .where('id', '<=', p.last),
)

const deleteSessions = statement('delete sessions', (db, p: Limit) =>
  db
    .deleteFrom('guildhall_sessions')
    .where('hash', 'in', db.selectFrom('guildhall_sessions').select('hash').limit(p.limit))
    .returning('hash'),
)

const deleteTokens = statement('delete tokens', (db, p: Limit) =>
  db
    .deleteFrom('guildhall_tokens')
    .where('hash', 'in', db.selectFrom('guildhall_tokens').select('hash').where('ends_with', '<>', 'nothing').limit(p.limit))
    .returning('hash'),
)

/** Each with all steps of its browser. */
const deleteFlows = statement('delete flows', (db, p: Limit) =>
  db
    .deleteFrom('guildhall_flows')
    .where('hash', 'in', db.selectFrom('guildhall_flows').select('hash').limit(p.limit))
    .returning('hash'),
)

const deleteMails = statement('delete mails', (db, p: Limit) =>
  db
    .deleteFrom('guildhall_mails')
    .where('id', 'in', db.selectFrom('guildhall_mails').select('id').limit(p.limit))
    .returning('id'),
)
