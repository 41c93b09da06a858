// Passes on what a site and its PostgreSQL or Redis send each other, and counts it on the wire.
import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'

export interface Sniffer {
  /** The same URL by way of this listener. */
  readonly url: string
  /** What was asked since the last time, in order. */
  take(): string[]
  close(): Promise<void>
}

/** Takes whole messages from the front of what has come; answers what they asked and what is left. */
type Reader = (bytes: Buffer, isFirst: boolean) => { readonly asked: readonly string[]; readonly rest: Buffer }

/** Hears the text of each statement. `(sync)` ends a round trip of the extended protocol; a simple query is one by itself. */
export function sniffPostgres(url: string): Promise<Sniffer> {
  return sniff(url, readPostgres)
}

/** Hears each command with its arguments, except greetings and periodic commands. */
export function sniffRedis(url: string): Promise<Sniffer> {
  return sniff(url, readRedis)
}

/** So often somebody waited for an answer: each simple query, and each `(sync)`. */
export function roundTrips(asked: readonly string[]): number {
  return asked.filter((text) => text === '(sync)' || text.startsWith('(simple) ')).length
}

async function sniff(url: string, read: Reader): Promise<Sniffer> {
  const { hostname, port } = new URL(url)
  const sockets = new Set<Socket>()
  let captured: string[] = []
  const server = createServer((near) => {
    const far = connect(Number(port), hostname)
    let [waiting, isFirst] = [Buffer.alloc(0), true]
    near.on('data', (bytes) => {
      const { asked, rest } = read(Buffer.concat([waiting, bytes]), isFirst)
      waiting = Buffer.from(rest)
      isFirst = false
      captured.push(...asked)
      far.write(bytes)
    })
    far.on('data', (bytes) => near.write(bytes))
    const end = () => {
      near.destroy()
      far.destroy()
    }
    for (const socket of [near, far]) {
      sockets.add(socket)
      socket.on('error', end).on('close', end)
    }
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const through = new URL(url)
  const address: AddressInfo | string | null = server.address()
  if (address === null || typeof address === 'string') throw new Error('the listener has no port')
  through.host = `127.0.0.1:${address.port}`
  return {
    url: through.href,
    take() {
      const taken = captured
      captured = []
      return taken
    },
    async close() {
      for (const socket of sockets) socket.destroy()
      const closed = once(server, 'close')
      server.close()
      await closed
    },
  }
}

/** https://www.postgresql.org/docs/current/protocol-message-formats.html: the first message has no letter. */
function readPostgres(bytes: Buffer, isFirst: boolean): ReturnType<Reader> {
  const asked: string[] = []
  let at = isFirst ? bytes.readInt32BE(0) : 0
  while (at + 5 <= bytes.length) {
    const end = at + 1 + bytes.readInt32BE(at + 1)
    if (end > bytes.length) break
    const letter = String.fromCharCode(bytes[at] ?? 0)
    const texts = bytes.toString('utf8', at + 5, end).split('\0')
    if (letter === 'P') asked.push(texts[1] ?? '')
    if (letter === 'Q') asked.push(`(simple) ${texts[0]}`)
    if (letter === 'S') asked.push('(sync)')
    at = end
  }
  return { asked, rest: bytes.subarray(at) }
}

/** https://redis.io/docs/latest/develop/reference/protocol-spec/: a command is an array of texts. */
function readRedis(bytes: Buffer): ReturnType<Reader> {
  const text = bytes.toString('latin1')
  const asked: string[] = []
  let at = 0
  for (;;) {
    const words = wordsAt(text, at)
    if (!words) return { asked, rest: bytes.subarray(at) }
    at = words.end
    if (!isHousekeeping(words.words)) asked.push(words.words.join(' '))
  }
}

function isHousekeeping([name = '', ...rest]: readonly string[]): boolean {
  return /^(?:HELLO|CLIENT|SELECT|PING|AUTH)$/i.test(name) || rest.some((word) => word.includes(':monitor:'))
}

function wordsAt(text: string, from: number): { readonly words: readonly string[]; readonly end: number } | undefined {
  const head = /^\*(\d+)\r\n/.exec(text.slice(from, from + 16))
  if (!head) return undefined
  let at = from + head[0].length
  const words: string[] = []
  for (let left = Number(head[1]); left > 0; left--) {
    const length = /^\$(\d+)\r\n/.exec(text.slice(at, at + 16))
    if (!length) return undefined
    const start = at + length[0].length
    at = start + Number(length[1]) + 2
    if (at > text.length) return undefined
    words.push(text.slice(start, at - 2))
  }
  return { words, end: at }
}
