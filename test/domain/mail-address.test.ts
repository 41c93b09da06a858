// Reading a mail address: what is one, what it is compared as, and that reading it again changes nothing.
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { localPartOf, readMailAddress } from '../../src/domain/mail-address.ts'

const TIMES = { numRuns: 10_000 }

test.each([
  ['alice@example.org', 'alice@example.org', 'alice@example.org'],
  [' Alice.B+list@Example.ORG ', 'Alice.B+list@example.org', 'alice.b+list@example.org'],
  ["o'hara!#$%&*/=?^_`{|}~-@x.tw", "o'hara!#$%&*/=?^_`{|}~-@x.tw", "o'hara!#$%&*/=?^_`{|}~-@x.tw"],
  ['a@bücher.example', 'a@xn--bcher-kva.example', 'a@xn--bcher-kva.example'],
  ['a@BÜCHER.example', 'a@xn--bcher-kva.example', 'a@xn--bcher-kva.example'],
  ['a@bu\u0308cher.example', 'a@xn--bcher-kva.example', 'a@xn--bcher-kva.example'],
  ['a@xn--bcher-kva.example', 'a@xn--bcher-kva.example', 'a@xn--bcher-kva.example'],
  ['wang@例子.台灣', 'wang@xn--fsqu00a.xn--kpry57d', 'wang@xn--fsqu00a.xn--kpry57d'],
  ['wang@例子。台灣', 'wang@xn--fsqu00a.xn--kpry57d', 'wang@xn--fsqu00a.xn--kpry57d'],
  [`${'a'.repeat(64)}@x.tw`, `${'a'.repeat(64)}@x.tw`, `${'a'.repeat(64)}@x.tw`],
])('%s is mailed as %s, and compared as %s', (typed, address, key) => {
  expect(readMailAddress(typed)).toEqual({ address, key })
})

test.each([
  '',
  ' ',
  '@',
  'a',
  'a@',
  '@x.tw',
  'a@x',
  'a@@x.tw',
  'a@x.tw,b@y.tw',
  'a@x.tw;b@y.tw',
  'a@x.tw b@y.tw',
  '<a@x.tw>',
  'A <a@x.tw>',
  'group: a@x.tw;',
  '"a b"@x.tw',
  '"a@evil.tw x"@ok.tw',
  'a(comment)@x.tw',
  'a@x.tw(comment)',
  'a@ok.tw\0@evil.tw',
  'a@x.tw\0',
  'a@x.tw\r\nBcc: b@y.tw',
  'a\r\n@x.tw',
  'a@x.tw\n',
  'a@\tx.tw',
  'a@0x7f.1',
  'a@127.0.0.1',
  'a@1.2',
  'a@x.0x',
  'a@[127.0.0.1]',
  'a@[::1]',
  'a@x.tw.',
  'a@.x.tw',
  'a@x..tw',
  'a@-x.tw',
  'a@x_y.tw',
  'a@ex%61mple.org',
  'a@x.tw/path',
  'a@x.tw:25',
  'a@x.tw?x',
  'a@x.tw#x',
  'a＠x.tw',
  'ａ@x.tw',
  'a@ｅxample.org',
  'a@e\u200bxample.org',
  'a\u200b@example.org',
  'a@\u3164.org',
  'a@e\u00adxample.org',
  'a\u202e@example.org',
  'mıke@example.org',
  '王@example.org',
  `${'a'.repeat(65)}@x.tw`,
  `a@${'x'.repeat(64)}.tw`,
  `a@${'x.'.repeat(126)}tw`,
  'a'.repeat(1_000_000),
  `a@${'例'.repeat(1_000_000)}.tw`,
])('E-04 %j is no address', (typed) => {
  expect(readMailAddress(typed)).toBeUndefined()
})

const anything = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 40 }),
  fc.emailAddress(),
  fc
    .tuple(fc.string({ unit: 'grapheme', maxLength: 12 }), fc.string({ unit: 'grapheme', maxLength: 12 }), fc.domain())
    .map(([local, label, domain]) => `${local}@${label}.${domain}`),
  fc
    .tuple(fc.emailAddress(), fc.constantFrom(' ', '\u200b', '\u0308', '＠', '。', 'İ', 'ſ', 'K', ',', '"'))
    .map(([address, more]) => {
      const at = address.indexOf('@')
      return address.slice(0, at + 2) + more + address.slice(at + 2)
    }),
)

test('E-03 what was read is read as itself, and so is its key: 10 000 texts', () => {
  fc.assert(
    fc.property(anything, (typed) => {
      const once = readMailAddress(typed)
      if (!once) return
      expect(readMailAddress(once.address)).toEqual(once)
      expect(readMailAddress(once.key)).toEqual({ address: once.key, key: once.key })
    }),
    TIMES,
  )
})

test('E-04 what was read is ASCII, has one @ and no character that a mail server would read as more: 10 000 texts', () => {
  fc.assert(
    fc.property(anything, (typed) => {
      const read = readMailAddress(typed)
      if (read) expect(read.address).toMatch(/^[\w.!#$%&'*+/=?^`{|}~-]{1,64}@[a-z0-9-]+(?:\.[a-z0-9-]+)+$/)
    }),
    TIMES,
  )
})

test('E-03 addresses that only look alike are not compared as the same', () => {
  const keys = ['mike@example.org', 'mike@exаmple.org', 'mike@examp1e.org', 'mike@exámple.org'].map(
    (typed) => readMailAddress(typed)?.key,
  )
  expect(new Set(keys).size).toBe(4)
})

test('the part before the @ is what a password must not be made of', () => {
  expect([localPartOf('alice.b@example.org'), localPartOf('none')]).toEqual(['alice.b', ''])
})
