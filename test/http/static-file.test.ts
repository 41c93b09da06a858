// The style sheet and other files that are the same for everybody: sent small, and once.
import { brotliDecompressSync, gunzipSync } from 'node:zlib'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { ask, type Reply } from '../security/wire.ts'
import { openSite, type Site } from '../support/site.ts'

let site: Site
let style: string

beforeAll(async () => {
  site = await openSite()
  style = /href="(\/assets\/style[^"]+)"/.exec((await site.visitor().get('/login')).text)?.[1] ?? ''
})
afterAll(() => site.close())

const get = (headers: Record<string, string> = {}, method = 'GET'): Promise<Reply> => ask(site.base, style, { method, headers })
const tagOf = async (headers: Record<string, string> = {}) => String((await get(headers)).headers.etag)

test('somebody on a slow line gets the style sheet compressed, and reads the same as without compression', async () => {
  const plain = await get()
  expect([plain.status, plain.headers['content-encoding'], plain.headers.vary]).toEqual([200, undefined, 'Accept-Encoding'])
  for (const [accepted, encoding, unpack] of [
    ['gzip, deflate, br, zstd', 'br', brotliDecompressSync],
    ['gzip', 'gzip', gunzipSync],
    ['br;q=0, gzip', 'gzip', gunzipSync],
  ] as const) {
    const small = await get({ 'accept-encoding': accepted })
    expect([accepted, small.headers['content-encoding'], small.headers.vary]).toEqual([accepted, encoding, 'Accept-Encoding'])
    expect(unpack(small.bytes).toString()).toBe(plain.text)
    expect(Number(small.headers['content-length'])).toBe(small.bytes.length)
    expect(small.bytes.length).toBeLessThan(plain.bytes.length / 3)
    const head = await get({ 'accept-encoding': accepted }, 'HEAD')
    expect([head.bytes.length, head.headers['content-length']]).toEqual([0, small.headers['content-length']])
  }
  for (const refused of ['identity', 'gzip;q=0, br;q=0', 'zstd']) {
    expect((await get({ 'accept-encoding': refused })).headers['content-encoding']).toBeUndefined()
  }
})

test('what differs byte by byte has a tag of its own', async () => {
  const tags = [await tagOf(), await tagOf({ 'accept-encoding': 'gzip' }), await tagOf({ 'accept-encoding': 'br' })]
  expect(new Set(tags).size).toBe(3)
  for (const tag of tags) expect(tag).toMatch(/^"[\w-]+"$/)
})

test('somebody who has the style sheet already is sent nothing, however a proxy wrote the tag', async () => {
  const tag = await tagOf()
  for (const known of [tag, `W/${tag}`, `"other", ${tag}`, `W/"other",W/${tag} , "more"`, '*', ' * ']) {
    const reply = await get({ 'if-none-match': known })
    expect([known, reply.status, reply.bytes.length, reply.headers.etag]).toEqual([known, 304, 0, tag])
    expect(reply.headers['cache-control']).toContain('immutable')
  }
  for (const other of ['"other"', tag.slice(1, -1), `w/${tag}`, '"*"', '']) {
    expect([other, (await get({ 'if-none-match': other })).status]).toEqual([other, 200])
  }
  // Theirs is compressed, and the one they would get now is not.
  expect((await get({ 'if-none-match': await tagOf({ 'accept-encoding': 'br' }) })).status).toBe(200)
})

test('pages are not compressed: what somebody else can put into one would tell, by its length, what else is there (BREACH)', async () => {
  const member = site.visitor()
  await member.register('anna')
  const headers = { 'accept-encoding': 'gzip, deflate, br' }
  for (const path of ['/login', '/profile', '/api/profile', '/nothing'])
    expect((await member.get(path, { headers })).headers.get('content-encoding')).toBeNull()
})
