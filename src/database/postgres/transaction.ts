// A list of statements as one transaction, tried again if it met another on the same rows.
import { jitter } from '../jitter.ts'
import { DEADLINE_MS } from '../timeout.ts'
import { type SqlStatement, UnexpectedRowCountError } from '../transaction.ts'
import { type PostgresCalls, wasRolledBack } from './calls.ts'
import { codeOf, type PostgresClient } from './query.ts'

/** How long a transaction may be silent: if its process is gone, its rows are freed after that. */
const IDLE_MS = 5000
/** The least wait for a row. It varies, or transactions that wait for each other would give up together. */
const ROW_WAIT_MS = 30
const MAX_TRIES = 20
const UNIQUE_VIOLATION = '23505' // https://www.postgresql.org/docs/current/errcodes-appendix.html

export async function runTransaction(
  calls: PostgresCalls,
  statements: readonly SqlStatement[],
  remaining: () => number,
): Promise<void> {
  for (let tries = 1; ; tries++) {
    try {
      return await calls.transaction(begin(), (client) => runAll(calls, client, statements, remaining), remaining)
    } catch (error) {
      if (!wasRolledBack(error) || tries === MAX_TRIES) throw error
    }
  }
}

async function runAll(
  calls: PostgresCalls,
  client: PostgresClient,
  statements: readonly SqlStatement[],
  remaining: () => number,
): Promise<void> {
  for (const statement of statements) {
    const { sql, expectRows, name = sql } = statement
    const touched = await touchedBy(calls, client, statement, remaining)
    if (expectRows !== undefined && touched !== expectRows)
      throw new UnexpectedRowCountError(name, { expected: expectRows, touched })
  }
}

/** How many rows it touched: none if such a row already exists. */
async function touchedBy(
  calls: PostgresCalls,
  client: PostgresClient,
  { sql, params, name = sql }: SqlStatement,
  remaining: () => number,
): Promise<number> {
  try {
    return (await calls.ask(client, sql, params, remaining())).rowCount ?? 0
  } catch (error) {
    if (codeOf(error) === UNIQUE_VIOLATION) throw new UnexpectedRowCountError(name, { expected: 1, touched: 0 })
    throw error
  }
}

/** The server gives up when we do: a statement that waits for a row must not write after its visitor was told that it failed. */
function begin(): string {
  const settings = [
    `statement_timeout = ${DEADLINE_MS}`,
    `lock_timeout = ${Math.round(ROW_WAIT_MS * (1 + jitter()))}`,
    `idle_in_transaction_session_timeout = ${IDLE_MS}`,
  ]
  return ['BEGIN', ...settings.map((setting) => `SET LOCAL ${setting}`)].join('; ')
}
