// Where a password comes from: a hidden prompt, asked twice, or stdin. Never an argument.
import { createInterface } from 'node:readline'
import { type Readable, Writable } from 'node:stream'
import { CommandError, INTERRUPTED } from './terminal.ts'

/** More than any password we accept; nobody means to send a film. */
const MAX_BYTES = 64 * 1024

/** The whole input, without the line break that `echo` puts at its end and the byte order mark that Windows puts before it. */
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
  // No form could send it.
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

/** U+FFFD stands where bytes of another encoding were replaced, U+0000 in every letter of UTF-16: such a password would fit no later try. */
function refuseMangled(password: string): void {
  if (/[\0\uFFFD]/.test(password)) throw new CommandError(NOT_UTF8)
}

export async function askNewPassword(username: string): Promise<string> {
  // What is typed is shown nowhere: readline's own output goes into nothing.
  const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() })
  const terminal = createInterface({ input: process.stdin, output: nowhere, terminal: true, historySize: 0 })
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
    // Nobody sees what they type: a slip would lock the account.
    if ((await ask('Once more:')) !== password) throw new CommandError('The two were not the same. Nothing was changed.')
    return password
  } finally {
    terminal.close()
  }
}
