// One-time tokens of users, as a mail would have brought them.
import { digest, newNonce } from '../../src/domain/secret.ts'
import { inDatabase, type Kept } from './database-inspector.ts'

interface Given {
  readonly purpose: string
  /** When its mail left. */
  readonly at: number
  /** The address that it is bound to. Default: none. */
  readonly emailKey?: string
}

const HOUR_MS = 3_600_000

/** Stores a token of this user and returns it. */
export async function giveToken(kept: Kept, userId: string, { purpose, at, emailKey }: Given): Promise<string> {
  const token = newNonce()
  await inDatabase(
    kept,
    `INSERT INTO guildhall_tokens (hash, purpose, user_id, ends_with, email_key, created_at, expires_at)
     VALUES (?, ?, ?, 'credentials', nullif(?, ''), ?, ?)`,
    digest(token),
    purpose,
    userId,
    emailKey ?? '',
    at,
    at + HOUR_MS,
  )
  return token
}
