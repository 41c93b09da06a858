// Every text is there, and numbers, dates and languages come out as people write them.
import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { ERROR_CODES, FIELD_ERROR_CODES } from '../../src/domain/errors.ts'
import { activityText, errorTexts, fieldText, noticeText } from '../../src/i18n/messages.ts'
import { pickLocale } from '../../src/i18n/pick-locale.ts'
import { catalogues, translator } from '../support/texts.ts'

const t = translator('en')
const en = catalogues.en
const keys = Object.keys(en)

test('every refusal and field error has its text', () => {
  for (const code of ERROR_CODES) expect(Object.values(errorTexts(t, code)).every((text) => text.length > 0)).toBe(true)
  for (const code of FIELD_ERROR_CODES) expect(fieldText(t, { field: 'x', code })).not.toBe('')
})

test('every text of English says something, and a counted one knows one and many', () => {
  for (const [key, text] of Object.entries(en)) expect(text.trim(), key).toBe(text)
  for (const key of keys.filter((one) => one.endsWith('.one'))) expect(keys).toContain(key.replace(/\.one$/, '.other'))
})

test('no text is unused', () => {
  const folder = fileURLToPath(new URL('../../src/', import.meta.url))
  const sources = readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((file) => /\.(eta|ts)$/.test(file))
    .map((file) => readFileSync(`${folder}${file}`, 'utf8'))
    .join('\n')
  // Keys made of parts: `notice.${code}` names every key of that shape.
  const made = [...sources.matchAll(/`([\w-]+\.[\w.]*(?:\$\{[^}]+\}[\w.]*)+)`/g)].map(([, key = '']) => {
    const parts = key.split(/\$\{[^}]+\}/).map((part) => part.replaceAll('.', '\\.'))
    return new RegExp(`^${parts.join('[\\w.]+')}$`)
  })
  // The menu and notices name their texts without what all of that kind begin with; events have theirs by their names.
  const local = (key: string) => key.replace(/^[\w-]+\.(?=menu$)|^notice\./, '')
  const isNamed = (key: string) =>
    [key, key.replace(/\.(one|other)$/, ''), local(key)].some((name) => sources.includes(`'${name}'`)) ||
    key.startsWith('activity.')
  const unused = keys.filter((key) => !isNamed(key) && !made.some((shape) => shape.test(key)))
  expect(unused).toEqual([])
})

test('values stand in their place, as plain text, once', () => {
  expect(t('layout.home', { site: 'A & B' })).toBe('A & B, front page')
  expect(t('device.full', { browser: '{system}', system: '$&' })).toBe('{system} on $&')
  expect(t('layout.home', { toString: 'x' })).toBe('{site}, front page')
  expect(fieldText(t, { field: 'password', code: 'too_short', values: { min: 8 } })).toBe('Use at least 8 characters.')
})

test('one session is singular, and many are plural', () => {
  expect(t.count('security.sessions.end_others', 1)).toBe('End the other session')
  expect(t.count('security.sessions.end_others', 2)).toBe('End the other 2 sessions')
  expect(t.count('summary.fields', 1200)).toBe('1,200 things need another look.')
})

test('a moment is told in UTC', () => {
  const moment = Date.UTC(2026, 4, 4, 9, 12, 30)
  expect(t.date(moment, 'short')).toBe('4 May 2026 (UTC)')
  expect(t.date(moment, 'long')).toBe('4 May 2026 at 09:12 UTC')
})

test.each([
  [0, 'just now'],
  [-59_000, 'just now'],
  [59_000, 'just now'],
  [-60_000, '1 minute ago'],
  [-2 * 3_600_000, '2 hours ago'],
  [-47 * 3_600_000, '1 day ago'],
  [-95 * 86_400_000, '3 months ago'],
  [-800 * 86_400_000, '2 years ago'],
  [14 * 86_400_000, 'in 14 days'],
])('%d ms from now is "%s"', (distance, text) => {
  const now = Date.UTC(2026, 4, 4)
  expect(t.ago(now + distance, now)).toBe(text)
})

test('a notice comes from the closed list only', () => {
  expect(noticeText(t, 'logged_out')).toBe('You are logged out on this device.')
  for (const code of [undefined, '', 'constructor', '__proto__', ['logged_out'], 'Call this number']) {
    expect(noticeText(t, code)).toBeUndefined()
  }
})

test('an activity that has no sentence yet gets the general one', () => {
  expect(activityText(t, { event: 'login', outcome: 'success' })).toBe('Logged in')
  expect(activityText(t, { event: 'toString', outcome: '' })).toBe('Something else happened')
})

test('Chinese counts without a form for one, and writes dates and spans its own way', () => {
  const zh = translator('zh-TW')
  expect(zh.count('security.sessions.end_others', 1)).toBe('登出其他 1 部裝置')
  expect(zh.count('summary.fields', 1200)).toBe('有 1,200 個地方需要再看一下。')
  const moment = Date.UTC(2026, 4, 4, 21, 12, 30)
  expect(zh.date(moment, 'short')).toBe('2026年5月4日（UTC）')
  expect(zh.date(moment, 'long')).toBe('2026年5月4日 21:12 UTC')
  expect([zh.ago(moment, moment), zh.ago(moment - 7_200_000, moment)]).toEqual(['剛剛', '2 小時前'])
  expect(zh('layout.home', { site: 'A & B' })).toBe('A & B 首頁')
})

test('a visitor gets the language they chose, then the one they read, then the site’s', () => {
  expect(pickLocale(['en'], 'zh-TW', 'zh-TW')).toBe('en')
  expect(pickLocale([undefined, 'zh-TW'], 'en', 'en')).toBe('zh-TW')
  expect(pickLocale(['zh-TW', 'en'], 'en', 'en')).toBe('zh-TW')
  expect(pickLocale(['EN-us'], 'zh-TW', 'zh-TW')).toBe('en')
  expect(pickLocale(['de', '', '__proto__'], 'zh-TW', 'en')).toBe('zh-TW')
  expect(pickLocale([], undefined, 'zh-TW')).toBe('zh-TW')
})

test.each([
  ['zh-TW', 'zh-TW'],
  ['zh-Hant', 'zh-TW'],
  ['zh-HK;q=0.3', 'zh-TW'],
  ['zh-Hant-MO, en;q=0.9', 'zh-TW'],
  ['en;q=0.8, zh-TW', 'zh-TW'],
  ['zh-TW;q=0.5, en;q=0.6', 'en'],
  ['zh-TW;q=0, en;q=0.1', 'en'],
  ['de;q=0.9, en-GB;q=0.8, zh-TW;q=0.1', 'en'],
  // Simplified is not what we have: anything else that is wanted and ours goes before it, the site's own language does not.
  ['zh-CN,zh;q=0.9,en;q=0.8', 'en'],
  ['zh-Hans-TW, en;q=0.1', 'en'],
  ['zh-CN,zh;q=0.9', 'zh-TW'],
  ['zh-SG, de', 'zh-TW'],
  ['de, *;q=0.1', 'en'],
  [';;q=,,zh-TW;q=abc,zh-TW;q=0', 'en'],
  ['zh-\u{1F600}, zh_TW, zh-', 'zh-TW'],
  ['x'.repeat(100_000), 'en'],
])('a browser that asks for %s gets %s', (header, locale) => {
  expect(pickLocale([], header, 'en')).toBe(locale)
})
