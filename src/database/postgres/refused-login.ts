// Why PostgreSQL let nobody in, and what to do about it.

/** An error of pg itself, without a code: the server requires a password, and there is none. */
const NO_PASSWORD = /^SASL: SCRAM-SERVER-FIRST-MESSAGE: client password/

/**
 * Undefined for every other failure. `code` is that of pg's error, or ''. https://www.postgresql.org/docs/current/errcodes-appendix.html
 */
export function explainRefusedLogin(code: string, message: string): string | undefined {
  if (NO_PASSWORD.test(message))
    return 'PostgreSQL asks for a password, and the connection string has none: write one there, or set PGPASSWORD'
  const name = nameIn(message)
  if (code === '3D000')
    return `PostgreSQL has no database ${name ?? 'of this name'} (${message}): make it with createdb ${quoted(name)}, or name another`
  // With password authentication, the server does not reveal which roles exist.
  if (code === '28000' && name !== undefined && /^role .* does not exist$/.test(message))
    return `PostgreSQL has no role ${name} (${message}): make it with createuser --pwprompt ${quoted(name)}, or name another`
  if (code === '28P01')
    return `PostgreSQL does not take the user and password of the connection string (${message}): write the right ones; a % in a password is written %25`
  if (code.startsWith('28'))
    return `PostgreSQL does not let this user in (${message}): its pg_hba.conf says who may, from where, and whether with TLS`
  return undefined
}

/** Between the quotation marks of the language that the server speaks. */
function nameIn(message: string): string | undefined {
  return /["“„«»]\s?(.+?)\s?["”“«»]/.exec(message)?.[1]
}

/** For a shell. */
function quoted(name = 'NAME'): string {
  return /^[\w.-]+$/.test(name) ? name : `'${name.replaceAll("'", String.raw`'\''`)}'`
}
