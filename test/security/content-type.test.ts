// 1.I: bodies in the wrong type, the wrong charset, no charset at all, or packed to burst: I-04 and I-05.
import { gzipSync } from 'node:zlib'
import { describe, expect, test } from 'vitest'
import { heapInUse } from './heap.ts'
import { bodyFor, writesOf } from './site-map.ts'
import { attackedSite, TARGET_NAMES } from './targets.ts'
import { ask } from './wire.ts'

describe.each(TARGET_NAMES)('%s', (target) => {
  const isBare = target === 'the membership alone'
  const { site, cookie, send, at } = attackedSite(target)

  test('I-04 the content type is exact, at every write of both endpoints', async () => {
    const wrong = [
      'text/plain',
      'application/xml',
      'text/xml',
      'multipart/form-data; boundary=x',
      'application/json5',
      'application/jsonp',
      'application/ld+json',
      'application/csp-report',
      'text/json',
      '*/*',
      'application/json, text/plain',
      'json',
    ]
    for (const { path, endpoint, input } of writesOf(site())) {
      const other = bodyFor(endpoint === 'api' ? 'page' : 'api', input)
      for (const type of [...wrong, other.type]) {
        const reply = await send(path, type, bodyFor(endpoint, input).body)
        // A parser of the host may come first, and finds that a form is no JSON.
        const expected = !isBare && type === 'application/json' ? expect.toSatisfy(isRefusal) : 415
        expect([path, type, reply.status]).toEqual([path, type, expected])
      }
      const untyped = await ask(site().base, path, { method: 'POST', headers: { cookie: cookie() }, body: 'a=b' })
      expect([path, untyped.status]).toEqual([path, 415])
    }
    expect((await ask(site().base, at('/api/profile'), { headers: { cookie: cookie() } })).status).toBe(200)
  })

  test('I-05 what is no JSON, no UTF-8 or no known encoding is 400 or 415', async () => {
    const json = 'application/json'
    const form = 'application/x-www-form-urlencoded'
    const notUtf8 = Buffer.from([0x7b, 0x22, 0x61, 0x22, 0x3a, 0x22, 0xc3, 0x28, 0x22, 0x7d])
    for (const body of ['{', '{"a":1', "{'a':1}", '{"a":1}x', 'undefined', '{"a":NaN}', '\u0000', '{"a":"\n"}'])
      expect([body, (await send(at('/api/login'), json, body)).status]).toEqual([body, 400])
    for (const body of ['null', '1', '"text"', '[]', 'true'])
      expect([body, (await send(at('/api/login'), json, body)).status]).toEqual([body, expect.toSatisfy(isRefusal)])
    // A parser of the host may read these leniently; then the fields are wrong, and nothing worse.
    for (const body of ['username=%', 'username=%C3%28&password=x', 'username=%zz', '%=1', 'username=%ed%a0%80'])
      expect([body, (await send(at('/login'), form, body)).status]).toEqual([body, isBare ? 400 : expect.toSatisfy(isRefusal)])
    expect((await send(at('/api/login'), json, notUtf8)).status).toSatisfy(isRefusal)
    if (isBare) expect((await send(at('/api/login'), json, notUtf8)).status).toBe(400)
    for (const charset of ['utf-7', 'utf-16', 'latin1', 'utf-32', 'nonsense', ''])
      expect([charset, (await send(at('/api/login'), `${json}; charset=${charset}`, '{}')).status]).toEqual([
        charset,
        isBare ? 415 : expect.toSatisfy(isRefusal),
      ])
    for (const encoding of ['compress', 'x-evil', 'gzip, gzip', '__proto__'])
      expect([encoding, (await send(at('/api/login'), json, '{}', { 'content-encoding': encoding })).status]).toEqual([
        encoding,
        415,
      ])
    for (const encoding of ['gzip', 'deflate', 'br', 'zstd'])
      expect([encoding, (await send(at('/api/login'), json, '{}', { 'content-encoding': encoding })).status]).toEqual([
        encoding,
        400,
      ])
  })

  test('I-05 a gzip bomb is stopped while it inflates', async () => {
    const bomb = gzipSync(Buffer.alloc(12_000_000, ' '))
    expect(bomb.length).toBeLessThan(16_000)
    const nested = gzipSync(gzipSync(Buffer.alloc(100_000_000, ' ')))
    const before = heapInUse()
    for (const [path, type] of [
      ['/api/login', 'application/json'],
      ['/login', 'application/x-www-form-urlencoded'],
    ] as const) {
      expect((await send(at(path), type, bomb, { 'content-encoding': 'gzip' })).status).toBe(413)
      expect((await send(at(path), type, nested, { 'content-encoding': 'gzip' })).status).toSatisfy(isRefusal)
    }
    expect(heapInUse() - before).toBeLessThan(20_000_000)
  })
})

function isRefusal(status: number): boolean {
  return status >= 400 && status < 500
}
