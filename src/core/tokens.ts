// One-time tokens: found by what a link or a person brings, and used up in the transaction of the act.
import { digest, keyedDigest, sameSecret } from '../domain/secret.ts'
import type { StoredUser } from '../storage/contract.ts'
import { type BoundStatement, bind } from '../storage/statement.ts'
import { consumeToken, countCodeTry, findTokenRow, type StoredToken, type TokenEnd } from '../storage/tokens.ts'
import { findUserById } from '../storage/users.ts'
import type { Core } from './core.ts'

/** What a token is for. */
export interface TokenPurpose {
  readonly name: string
  readonly endsWith: TokenEnd
  /** From when its mail leaves. */
  readonly lifeMs: number
  /** Whether the mail has a code to type beside its link. */
  readonly hasCode?: boolean
  /** A mail with one more is not sent: if it killed the older ones, whoever asks every minute would keep the owner out. Default: 3. */
  readonly maxLive?: number
  /** Whether it ends when the user has another address than the one that it was mailed to. */
  readonly isBoundToAddress?: boolean
}

/** A token that is valid: not used, not over. */
export interface FoundToken {
  readonly hash: string
  readonly user: StoredUser
  /** The address that it was mailed to, as compared. */
  readonly emailKey: string | undefined
  /** What its mail was made from. */
  readonly data: Readonly<Record<string, unknown>>
  readonly expiresAt: number
}

/** base64url of 132 bits: more than the 128 that are asked for (ASVS 6.4.1), and a link that stays on one line of a mail. */
const TOKEN_LENGTH = 22
const TOKEN = /^[\w-]{22}$/

export async function findToken(core: Core, purpose: TokenPurpose, token: string): Promise<FoundToken | undefined> {
  return TOKEN.test(token) ? findTokenByHash(core, purpose, digest(token)) : undefined
}

/** For a flow, which keeps the hash alone. */
export async function findTokenByHash(core: Core, purpose: TokenPurpose, hash: string): Promise<FoundToken | undefined> {
  const row = await core.db.first(findTokenRow, { hash, purpose: purpose.name, since: core.clock.now() - purpose.lifeMs })
  return row && found(core, purpose, row)
}

/** RFC 8628 section 6.1: no vowels, so that no words come out, and nothing that looks like another letter. */
const CODE_LETTERS = 'BCDFGHJKLMNPQRSTVWXZ'
const CODE_LENGTH = 8
const MAX_TRIES = 5

/**
 * A code is short: it is looked for among those of one user and purpose, five tries each, and a try is counted before anything is compared.
 * Letter case, spaces and dashes do not matter.
 */
export async function findTokenByCode(
  core: Core,
  purpose: TokenPurpose,
  userId: string,
  typed: string,
): Promise<FoundToken | undefined> {
  const code = typed.replace(/[\s-]/g, '').toUpperCase()
  if (code.length !== CODE_LENGTH) return undefined
  const since = core.clock.now() - purpose.lifeMs
  const rows = await core.db.write(countCodeTry, { userId, purpose: purpose.name, maxTries: MAX_TRIES, since })
  const match = rows.find((row) => {
    const stored = core.mailKeys.find(({ id }) => id === row.codeKey)
    return stored && row.code !== undefined && sameSecret(row.code, codeDigest(stored.bytes, purpose.name, userId, code))
  })
  return match && found(core, purpose, match)
}

async function found(core: Core, { isBoundToAddress, lifeMs }: TokenPurpose, row: StoredToken): Promise<FoundToken | undefined> {
  const user = await core.db.first(findUserById, { id: row.userId })
  if (!user || (isBoundToAddress && user.emailKey !== row.emailKey)) return undefined
  const { hash, emailKey, createdAt } = row
  return { hash, user, emailKey, data: row.data === undefined ? {} : JSON.parse(row.data), expiresAt: createdAt + lifeMs }
}

/** In the transaction of the act: of concurrent uses one succeeds, and the others roll back. */
export function useToken({ hash }: FoundToken, now: number): BoundStatement {
  return bind(consumeToken, { hash, now }, { expectRows: 1 })
}

/** What a token is derived from. Nothing of it counts: a number that repeats after a restore would open somebody else's account. */
export interface TokenSeed {
  readonly purpose: string
  readonly userId: string
  readonly emailKey: string
  readonly epoch: number
  /** 128 random bits. */
  readonly nonce: string
}

export interface DerivedToken {
  readonly token: string
  readonly hash: string
  readonly code: string
  readonly codeDigest: string
}

/** The same at every try to send its mail. It exists in the mail alone: the database has only its digests. */
export function deriveToken(key: Uint8Array, { purpose, userId, emailKey, epoch, nonce }: TokenSeed): DerivedToken {
  const seed = [purpose, userId, emailKey, epoch, nonce].join('\0')
  const token = keyedDigest(key, `token\0${seed}`).slice(0, TOKEN_LENGTH)
  const code = deriveCode(key, seed)
  return { token, hash: digest(token), code, codeDigest: codeDigest(key, purpose, userId, code) }
}

/** Bytes beyond the last multiple of 20 are left out, so that each letter is equally likely. */
function deriveCode(key: Uint8Array, seed: string): string {
  const limit = 256 - (256 % CODE_LETTERS.length)
  let code = ''
  for (let block = 0; code.length < CODE_LENGTH; block++) {
    const bytes = Buffer.from(keyedDigest(key, `code\0${block}\0${seed}`), 'base64url')
    for (const byte of bytes) if (byte < limit && code.length < CODE_LENGTH) code += CODE_LETTERS[byte % CODE_LETTERS.length]
  }
  return code
}

function codeDigest(key: Uint8Array, purpose: string, userId: string, code: string): string {
  return keyedDigest(key, `typed\0${purpose}\0${userId}\0${code}`)
}
