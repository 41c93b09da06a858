// 1.I: requests that are barely HTTP. The process lives, and no second request hides in a first.
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Site } from '../support/site.ts'
import { GOOD_PASSWORD } from '../support/visitor.ts'
import { LEAK, routesOf } from './site-map.ts'
import { openTarget, TARGET_NAMES } from './targets.ts'
import { ask, rawBytes, statusesOf } from './wire.ts'

describe.each(TARGET_NAMES)('%s', (target) => {
  let site: Site
  let cookie: string

  beforeAll(async () => {
    site = await openTarget(target)
    await site.membership.users.create({ username: 'alice', password: GOOD_PASSWORD })
    const body = JSON.stringify({ username: 'alice', password: GOOD_PASSWORD })
    const login = await ask(site.base, at('/api/login'), {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body,
    })
    cookie = login.setCookies[0]?.split(';')[0] ?? ''
  })
  afterAll(() => site.close())

  const at = (path: string) => site.http.path + path
  const isAlive = async () => (await ask(site.base, at('/api/profile'), { headers: { cookie } })).status === 200

  test('I-06 a path in bad percent-encoding or of 16 KB is 4xx or a page, never a fault', async () => {
    const malformed = [
      '%',
      '%C0',
      '%C0%80',
      '%zz',
      '%u0041',
      '%00',
      '%ff%fe',
      '%2',
      '%%%',
      '%ed%a0%80',
      '..%2f..%2fetc%2fpasswd',
      '%2e%2e/%2e%2e/',
      ';jsessionid=1',
      '*',
      '|',
      '^',
      '`',
      '{{7*7}}',
      '<script>',
      '\\',
      'a'.repeat(15_000),
      '/'.repeat(15_000),
      '%2f'.repeat(5000),
      '?',
      '#',
      '?%',
      '?%=%',
      `?${'a&'.repeat(7000)}`,
      `?${'a[]=1&'.repeat(2000)}`,
      `?a${'[b]'.repeat(4000)}=1`,
      '?returnTo=%&notice=%',
      '?returnTo=%ff',
    ]
    for (const { path } of routesOf(site))
      for (const tail of malformed) {
        for (const target of [
          path + tail,
          path + (tail.startsWith('?') ? tail : `/${tail}`),
          path.replace(/[^/]+$/, '') + tail,
        ]) {
          const came = await rawOnce(`GET ${target} HTTP/1.1\r\nHost: localhost\r\nCookie: ${cookie}\r\n`)
          expect([target.slice(0, 60), came.status]).toEqual([
            target.slice(0, 60),
            expect.toSatisfy((status: number) => status >= 200 && status < 500),
          ])
          expect(came.text).not.toMatch(LEAK)
        }
      }
    expect(await isAlive()).toBe(true)
  })

  test('I-06 a request line with a whole URL in it, also one that cannot be read, is answered', async () => {
    const targets = [
      'http://a:99999',
      'http://[',
      'http://[::1',
      'http://',
      'http:',
      'http://a b',
      'http://%',
      'http://user:pass@evil.example',
      '//a:99999',
      '//[',
      'https://evil.example:443',
      'HTTP://LOCALHOST',
      'http://a:b:c',
      'ftp://x',
      'javascript:',
    ]
    for (const prefix of targets)
      for (const path of [
        '/login',
        '/login?returnTo=/x',
        '/register',
        '/profile',
        '/account/security',
        '/api/profile',

        '/reauthenticate',
        '/nothing',
      ].map(at))
        for (const method of ['GET', 'POST', 'OPTIONS']) {
          const came = await rawOnce(
            `${method} ${prefix}${path} HTTP/1.1\r\nHost: localhost\r\nAccept: text/html\r\nCookie: ${cookie}\r\n`,
          )
          expect([method, prefix + path, came.status]).toEqual([
            method,
            prefix + path,
            expect.toSatisfy((status: number) => status >= 200 && status < 500),
          ])
        }
    expect(await isAlive()).toBe(true)
  })

  test('I-06 many headers, long headers and headers named like the inside of an object are survived', async () => {
    const many = Array.from({ length: 2000 }, (_, n) => `x-h${n}: ${n}\r\n`).join('')
    const lines = [
      '__proto__: x\r\n',
      '__proto__: x\r\n__proto__: y\r\n',
      'constructor: x\r\ntoString: y\r\nhasOwnProperty: z\r\n',
      many,
      `x: ${'y'.repeat(20_000)}\r\n`,
      `cookie: ${'a=b; '.repeat(3000)}\r\n`,
      `cookie: ${'guildhall=x; '.repeat(1000)}\r\n`,
      `accept: ${'text/html;q=0.1,'.repeat(900)}\r\n`,
      'accept: \r\n',
      'accept: ;;;,,,\r\n',
      'accept: __proto__/constructor\r\n',
      'accept-language: \xff\xfe\r\n',
      'user-agent: \xff\x80\r\n',
      'content-length: 99999999999999999999\r\n',
      'content-length: -1\r\n',
      'content-length: 1e3\r\n',
      'transfer-encoding: nonsense\r\n',
      'expect: 100-continue\r\n',
      'expect: 200-maybe\r\n',
      'upgrade: websocket\r\nconnection: upgrade\r\n',
      'host: a\r\nhost: b\r\n',
      ': x\r\n',
      'x\r\n',
      ' x: y\r\n',
      'x : y\r\n',
      'x: \0\r\n',
      'if-none-match: *\r\n',
      'range: bytes=0-\r\n',
      'sec-fetch-site: \r\n',
      'origin: \r\n',
      'referer: http://[\r\n',
      'x-forwarded-for: __proto__, x, \r\n',
      'forwarded: for="\r\n',
    ]
    for (const line of lines)
      for (const path of ['/login', '/api/profile', '/nothing'].map(at))
        for (const method of ['GET', 'POST']) {
          const came = await rawOnce(`${method} ${path} HTTP/1.1\r\nHost: localhost\r\n${line}`)
          expect([method, path, line.slice(0, 40), came.status]).toEqual([
            method,
            path,
            line.slice(0, 40),
            expect.toSatisfy((status: number) => status === 0 || (status >= 100 && status < 500)),
          ])
        }
    expect(await isAlive()).toBe(true)
  })

  describe('I-12 no second request hides in a first', () => {
    const hidden = () => `GET ${at('/api/profile')} HTTP/1.1\r\nHost: localhost\r\nCookie: ${cookie}\r\nX: `
    const first = (lines: string, body: string) =>
      `POST ${at('/api/login')} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n${lines}\r\n${body}`
    const attacks: Record<string, () => string> = {
      'Content-Length and Transfer-Encoding': () =>
        first('Content-Length: 4\r\nTransfer-Encoding: chunked\r\n', `0\r\n\r\n${hidden()}`),
      'Transfer-Encoding and Content-Length': () =>
        first('Transfer-Encoding: chunked\r\nContent-Length: 4\r\n', `0\r\n\r\n${hidden()}`),
      'two lengths': () => first('Content-Length: 0\r\nContent-Length: 40\r\n', hidden()),
      'lengths in one line': () => first('Content-Length: 0, 40\r\n', hidden()),
      'a length with a sign': () => first('Content-Length: +0\r\n', hidden()),
      'a hexadecimal length': () => first('Content-Length: 0x0\r\n', hidden()),
      'a coding before chunked that nobody knows': () =>
        first('Transfer-Encoding: chunked, identity\r\n', `0\r\n\r\n${hidden()}`),
      xchunked: () => first('Transfer-Encoding: xchunked\r\n', `0\r\n\r\n${hidden()}`),
      'two codings': () =>
        first('Transfer-Encoding: x\r\nTransfer-Encoding: chunked\r\nContent-Length: 4\r\n', `0\r\n\r\n${hidden()}`),
      'a space before the colon': () => first('Transfer-Encoding : chunked\r\nContent-Length: 4\r\n', `0\r\n\r\n${hidden()}`),
      'a folded header': () => first('Transfer-Encoding:\r\n chunked\r\nContent-Length: 4\r\n', `0\r\n\r\n${hidden()}`),
      'a chunk size with rubbish': () => first('Transfer-Encoding: chunked\r\n', `0x0\r\n\r\n${hidden()}`),
      'a chunk size that is too large': () =>
        first('Transfer-Encoding: chunked\r\n', `fffffffffffffffff\r\n{}\r\n0\r\n\r\n${hidden()}`),
      'a chunk that ends in a bare line feed': () => first('Transfer-Encoding: chunked\r\n', `2\r\n{}\n0\r\n\r\n${hidden()}`),
      'a chunk size that ends in a bare line feed': () =>
        first('Transfer-Encoding: chunked\r\n', `2\n{}\r\n0\r\n\r\n${hidden()}`),
      'a chunk extension with a line feed in it': () =>
        first('Transfer-Encoding: chunked\r\n', `2;a\n{}\r\n0\r\n\r\n${hidden()}`),
      'chunk extensions without end': () =>
        first('Transfer-Encoding: chunked\r\n', `2;${'a=b;'.repeat(10_000)}\r\n{}\r\n0\r\n\r\n${hidden()}`),
      'bare line feeds': () => `POST ${at('/api/login')} HTTP/1.1\nHost: localhost\nContent-Length: 0\n\n${hidden()}`,
      'a bare line feed in a header': () => first('X: y\nContent-Length: 0\r\n', hidden()),
      'a bare carriage return': () => first('X: y\rTransfer-Encoding: chunked\r\nContent-Length: 0\r\n', hidden()),
      'a NUL in a header': () => first('X: \0\r\nContent-Length: 0\r\n', hidden()),
      'HTTP/2 by force': () => 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
      'a version that nobody knows': () => `GET ${at('/api/profile')} HTTP/9.9\r\nHost: localhost\r\n\r\n`,
    }

    test.each(Object.keys(attacks))('%s', async (name) => {
      const came = await rawBytes(site.base, `${attacks[name]?.()}y\r\nConnection: close\r\n\r\n`)
      const statuses = statusesOf(came)
      expect(came).not.toContain('"username":"alice"')
      expect(statuses.filter((status) => status >= 500)).toEqual([])
      // One answer at most before the connection is given up: what follows is not taken for a request.
      expect(statuses.at(-1)).toBe(came.includes('HTTP/1.1 413') ? 413 : 400)
      expect(came).not.toMatch(LEAK)
      expect(await isAlive()).toBe(true)
    })
  })

  /** One request on a connection of its own. */
  async function rawOnce(head: string): Promise<{ status: number; text: string }> {
    const length = /^content-length|^transfer-encoding/im.test(head) ? '' : 'Content-Length: 0\r\n'
    const text = await rawBytes(site.base, Buffer.from(`${head}${length}Connection: close\r\n\r\n`, 'latin1'))
    return { status: statusesOf(text).at(-1) ?? 0, text }
  }
})
