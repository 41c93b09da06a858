// Reads a password from stdin, or twice from a hidden prompt; never from an argument.
import { createInterface } from 'node:readline'
import { type Readable, Writable } from 'node:stream'
import { CommandError, INTERRUPTED } from './terminal.ts'

/** Far more than any accepted password. */
const MAX_BYTES = 64 * 1024

/** The whole input, without a final line break, as from `echo`, and without the byte order mark of Windows. */
export async function readPassword(input: Readable): Promise<string> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of input) {
    const bytes = Buffer.from(chunk)
    size += bytes.length
    if (size > MAX_BYTES) throw new CommandError('That is far too long for a password. Nothing was changed.')
    chunks.push(bytes)
  }
  const password = decode(Buffer.concat(chunks)).replace(/\r?\n$/, '')
  refuseMangled(password)
  // A form could not send it.
  if (/[\r\n]/.test(password)) throw new CommandError('A password is one line, and this is more than one. Nothing was changed.')
  if (password === '') throw new CommandError('There was no password. Nothing was changed.')
  return password
}

function decode(bytes: Buffer): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    throw new CommandError(NOT_UTF8)
  }
}

const NOT_UTF8 =
  'The password did not arrive as UTF-8, and could not be typed again later. Send it as UTF-8. Nothing was changed.'

/** U+FFFD replaces bytes of another encoding, and UTF-16 is full of U+0000: such a password could not be typed again. */
function refuseMangled(password: string): void {
  if (/[\0\uFFFD]/.test(password)) throw new CommandError(NOT_UTF8)
}

export async function askNewPassword(username: string): Promise<string> {
  // Discards readline's output, so that the password is not shown.
  const discard = new Writable({ write: (_chunk, _encoding, done) => done() })
  const terminal = createInterface({ input: process.stdin, output: discard, terminal: true, historySize: 0 })
  terminal.once('SIGINT', () => terminal.close())
  const lines = terminal[Symbol.asyncIterator]()
  const ask = async (prompt: string): Promise<string> => {
    process.stderr.write(`${prompt} `)
    const { done, value } = await lines.next()
    process.stderr.write('\n')
    if (done) throw new CommandError(INTERRUPTED)
    return value
  }
  try {
    const password = await ask(`Password for ${username} (is not shown):`)
    if (password === '') throw new CommandError('There was no password. Nothing was changed.')
    refuseMangled(password)
    // The password is not shown, so a typing mistake would lock the user out.
    if ((await ask('Once more:')) !== password) throw new CommandError('The two were not the same. Nothing was changed.')
    return password
  } finally {
    terminal.close()
  }
}
