// Random requests by somebody who knows our routes, our fields, our cookies and how HTTP may be bent.
import { gzipSync } from 'node:zlib'
import fc from 'fast-check'
import { GOOD_PASSWORD } from '../support/visitor.ts'
import { asText, bodyFor, type Route } from './site-map.ts'
import type { Call } from './wire.ts'

export interface Attack extends Call {
  readonly path: string
}

export interface Known {
  /** Cookie headers of people who are logged in, and of people who were. */
  readonly cookies: readonly string[]
  readonly origin: string
}

const NASTY = fc.constantFrom(
  '', ' ', '\u0000', '\r\nX-Evil: 1', '\n', '\t', "'", '"', '";--', "' OR 1=1--", '<script>alert(1)</script>', '{{7*7}}', '#{7*7}', '<%= 1 %>', '%', '%00', '%0d%0a',
  '../../etc/passwd', '..\\', '//evil.example', '/\\evil', 'javascript:1', '__proto__', 'constructor', 'toString', 'hasOwnProperty', 'null', 'undefined', 'true', '0', '-1', '1e400', 'NaN',
  '\ud800', '\udfff\ud800', '\ufeff', '\u202e', '\u200b', '\uFDFA', 'é', 'e\u0301', 'ＡＬＩＣＥ', 'alice', 'ALICE', ' alice ', 'nobody', 'admin', GOOD_PASSWORD, 'a'.repeat(255), 'a'.repeat(3000), '\u{1F600}'.repeat(300),
) // biome-ignore format: a list reads as a block

const text = fc.oneof(NASTY, fc.string({ unit: 'binary', maxLength: 40 }), fc.string({ maxLength: 40 }))
const value = fc.oneof({ weight: 4, arbitrary: text }, { weight: 1, arbitrary: fc.jsonValue({ maxDepth: 3 }) })
const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'TRACE', 'PROPFIND', 'QUERY', 'REPORT', 'M-SEARCH']

const TYPES = [
  'application/json', 'application/x-www-form-urlencoded', 'text/plain', 'multipart/form-data; boundary=x', 'application/json; charset=utf-16', 'application/json;charset=UTF-8', '', ';', 'application/JSON',
] // biome-ignore format: a list reads as a block

/** Mostly what the action takes, a name that nobody has yet among it. */
function fieldValue(name: string, usual: string): fc.Arbitrary<unknown> {
  const fresh = name === 'username' ? fc.uuid().map((id) => `u${id.slice(0, 13)}`) : fc.constant(usual)
  return fc.oneof(fc.constant(usual), fresh, value)
}

/** An attack on one place. Half of all attacks get as far as the action: right method, right type, some right fields. */
export function attackOn(place: Route, { cookies, origin }: Known): fc.Arbitrary<Attack> {
  const names = [
    ...Object.keys(place.input ?? {}),
    'id',
    'userId',
    'roles',
    '__proto__',
    'constructor',
    'notice',
    'token',
    'email',
  ]
  const right = Object.entries(place.input ?? {}).map(([name, usual]) => fc.tuple(fc.constant(name), fieldValue(name, usual)))
  const extra = fc.oneof(fc.constant([]), fc.array(fc.tuple(fc.oneof(fc.constantFrom(...names), text), value), { maxLength: 4 }))
  const fields = fc.tuple(fc.tuple(...right), extra).map(([known, more]) => [...known, ...more])
  const fitting = fields.map((pairs) => bodyFor(place.endpoint, Object.fromEntries(pairs)))
  const bent = fc.record({
    type: fc.oneof(
      { weight: 2, arbitrary: fc.constant(bodyFor(place.endpoint, {}).type) },
      { weight: 1, arbitrary: fc.constantFrom(...TYPES) },
      { weight: 1, arbitrary: headerText() },
    ),
    body: fc.oneof(
      fields.map((pairs) => JSON.stringify(pairs)),
      fields.map((pairs) => pairs.map((pair) => pair.map(asText).join('=')).join('&')),
      fc.json(),
      fc.uint8Array({ maxLength: 200 }),
      fc.constantFrom(
        '',
        '{',
        '[]',
        'null',
        '"',
        '{"a":'.repeat(3000),
        '['.repeat(20_000),
        'a[]=1&'.repeat(200),
        'a=1&'.repeat(101),
        'x'.repeat(17_000),
      ),
      fields.map((pairs) => gzipSync(JSON.stringify(Object.fromEntries(pairs)))),
    ),
  })
  const content = place.input ? fc.oneof({ weight: 2, arbitrary: fitting }, { weight: 1, arbitrary: bent }) : bent
  const method = fc.oneof(fc.constant(place.input ? 'POST' : 'GET'), fc.constantFrom(...METHODS))
  return fc.tuple(method, pathNear(place.path), content, headers(cookies, origin)).map(([verb, path, { type, body }, more]) => {
    const hasBody = verb !== 'GET' && verb !== 'HEAD' && verb !== 'TRACE'
    return {
      method: verb,
      path,
      headers: [...(type === '' ? [] : [['content-type', type] as const]), ...more],
      body: hasBody ? body : undefined,
    }
  })
}

/** The path itself, or one that a lenient reader might take for it, with some query. */
function pathNear(path: string): fc.Arbitrary<string> {
  const spelling = fc.oneof(
    { weight: 6, arbitrary: fc.constant(path) },
    {
      weight: 1,
      arbitrary: fc.constantFrom(
        `/${path}`,
        `${path}/`,
        path.toUpperCase(),
        `${path};x`,
        `/.${path}`,
        `${path}%00`,
        `${path}%2f`,
        path.replace('o', '%6f'),
        `${path}/..`,
        `${path}%`,
        `http://a:99999${path}`,
        `http://[${path}`,
      ),
    },
    { weight: 1, arbitrary: text.map((tail) => `${path}/${encodeURIComponent(tail.toWellFormed())}`) },
    { weight: 1, arbitrary: text.map((part) => path.replace(/[^/]*$/, '') + inRequestLine(part)) },
  )
  const query = fc.oneof(
    fc.constant(''),
    fc
      .tuple(fc.constantFrom('returnTo', 'notice', 'id', '__proto__[x]', 'a[]', ''), text)
      .map(([name, one]) => `?${name}=${encodeURIComponent(one.toWellFormed())}`),
    text.map((raw) => `?${inRequestLine(raw)}`),
  )
  return fc.tuple(spelling, query).map(([one, more]) => one + more)
}

function headers(cookies: readonly string[], origin: string): fc.Arbitrary<readonly (readonly [string, string])[]> {
  const cookie = fc.oneof(
    { weight: 3, arbitrary: fc.constantFrom(...cookies) },
    {
      weight: 1,
      arbitrary: fc.constantFrom(
        cookies.join('; '),
        'guildhall=',
        `guildhall=${'A'.repeat(43)}`,
        'guildhall=__proto__',
        '$Version=1; guildhall=x',
        'guildhall-language=xx',
        '__proto__=1; constructor=2',
        ';;;===',
      ),
    },
    { weight: 1, arbitrary: headerText().map((one) => `guildhall=${one}`) },
  )
  const malformed = fc.oneof(
    fc.tuple(
      fc.constantFrom('sec-fetch-site', 'sec-fetch-mode', 'sec-fetch-dest'),
      fc.constantFrom('same-origin', 'none', 'cross-site', 'same-site', 'navigate', 'document', '', 'banana'),
    ),
    fc.tuple(fc.constant('origin'), fc.constantFrom(origin, 'null', 'https://evil.example', '')),
    fc.tuple(
      fc.constant('accept'),
      fc.constantFrom('application/json', 'text/html', '*/*', '', ';;;', 'text/html;q=x', '__proto__/x'),
    ),
    fc.tuple(
      fc.constantFrom(
        'accept-language',
        'user-agent',
        'referer',
        'if-none-match',
        'x-forwarded-for',
        'x-http-method-override',
        'x-user-id',
        'forwarded',
        '__proto__',
        'constructor',
        'range',
        'x-request-id',
        'authorization',
      ),
      headerText(),
    ),
    fc.tuple(fc.constant('content-encoding'), fc.constantFrom('gzip', 'deflate', 'br', 'zstd', 'identity', 'x')),
    fc.tuple(fc.constant('transfer-encoding'), fc.constant('chunked')),
  )
  const pairs = fc.oneof(fc.constant([]), fc.array(malformed, { maxLength: 5 }))
  // Both lengths of a body at once are raw-http.test.ts's business.
  return fc.tuple(fc.option(cookie, { freq: 4 }), pairs).map(([own, more]) => {
    const unique = more.filter(([name], at) => more.findIndex(([other]) => other === name) === at)
    return own === null ? unique : [...unique, ['cookie', own] as const]
  })
}

/** What a header can carry: visible Latin-1. */
function headerText(): fc.Arbitrary<string> {
  const characters = fc
    .integer({ min: 0x20, max: 0xff })
    .filter((code) => code !== 0x7f)
    .map((code) => String.fromCharCode(code))
  return fc.oneof(
    fc.string({ unit: characters, maxLength: 60 }),
    fc.constantFrom('', "'", 'en;q=0.1,de', 'en-US,en;q=NaN', '../..', '<script>', '#{7*7}'),
  )
}

/** Makes any text sendable in a request line, and keeps what is odd but allowed there. */
function inRequestLine(part: string): string {
  return part.toWellFormed().replace(/[^\x21-\x7e]/gu, (letter) => encodeURIComponent(letter))
}
