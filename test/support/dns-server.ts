// A DNS server of a test's own, over UDP: answers TXT queries from a table, or says nothing.
import { createSocket } from 'node:dgram'
import { Resolver } from 'node:dns/promises'
import { once } from 'node:events'
import { onTestFinished } from 'vitest'

/** The TXT records by name; each may be in several pieces. `undefined` as a value: the name exists and has none. */
export type Zone = Readonly<Record<string, readonly (readonly string[])[] | undefined>>

/** A resolver that asks only this server. Gone after the test. */
export async function resolverFor(zone: Zone | 'silent'): Promise<Resolver> {
  const server = createSocket('udp4')
  server.on('message', (query, { port, address }) => {
    if (zone !== 'silent') server.send(answer(query, zone), port, address)
  })
  server.bind(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => void server.close())
  const resolver = new Resolver({ timeout: 250, tries: 1 })
  resolver.setServers([`127.0.0.1:${server.address().port}`])
  return resolver
}

const HEADER_LENGTH = 12
const NAME_ERROR = 3
const TXT = 16
const IN = 1
const TTL = 60

/** RFC 1035 section 4.1. */
function answer(query: Buffer, zone: Zone): Buffer {
  const { name, end } = nameAt(query, HEADER_LENGTH)
  const exists = Object.hasOwn(zone, name.toLowerCase())
  const records = zone[name.toLowerCase()] ?? []
  const header = Buffer.alloc(HEADER_LENGTH)
  query.copy(header, 0, 0, 2)
  header.writeUInt16BE(0x8180 | (exists ? 0 : NAME_ERROR), 2)
  header.writeUInt16BE(1, 4)
  header.writeUInt16BE(records.length, 6)
  // The question is repeated; each answer points to its name.
  return Buffer.concat([header, query.subarray(HEADER_LENGTH, end + 4), ...records.map(recordOf)])
}

function recordOf(pieces: readonly string[]): Buffer {
  const data = Buffer.concat(pieces.map((piece) => Buffer.concat([Buffer.from([piece.length]), Buffer.from(piece)])))
  const head = Buffer.alloc(HEADER_LENGTH)
  head.writeUInt16BE(0xc000 | HEADER_LENGTH, 0)
  head.writeUInt16BE(TXT, 2)
  head.writeUInt16BE(IN, 4)
  head.writeUInt32BE(TTL, 6)
  head.writeUInt16BE(data.length, 10)
  return Buffer.concat([head, data])
}

function nameAt(message: Buffer, start: number): { readonly name: string; readonly end: number } {
  const labels: string[] = []
  let at = start
  for (let length = message[at] ?? 0; length > 0; length = message[at] ?? 0) {
    labels.push(message.toString('latin1', at + 1, at + 1 + length))
    at += length + 1
  }
  return { name: labels.join('.'), end: at + 1 }
}
