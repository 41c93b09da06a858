// Every text is there, and numbers, dates and languages come out as people write them.
import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { ERROR_CODES, FIELD_ERROR_CODES } from '../../src/domain/errors.ts'
import en from '../../src/i18n/en.json' with { type: 'json' }
import { activityText, errorTexts, fieldText, NOTICES, noticeText } from '../../src/i18n/messages.ts'
import { pickLocale } from '../../src/i18n/pick-locale.ts'
import { translator } from '../../src/i18n/translate.ts'

const t = translator('en')
const keys = Object.keys(en)

test('every refusal, field error and notice has its text', () => {
  for (const code of ERROR_CODES) expect(Object.values(errorTexts(t, code)).every((text) => text.length > 0)).toBe(true)
  for (const code of FIELD_ERROR_CODES) expect(fieldText(t, { field: 'x', code })).not.toBe('')
  for (const code of NOTICES) expect(noticeText(t, code)).toBeTruthy()
  expect(keys.filter((key) => key.startsWith('notice.')).length).toBe(NOTICES.length)
})

test('every text says something, and a counted one knows one and many', () => {
  for (const [key, text] of Object.entries(en)) expect(text.trim(), key).toBe(text)
  for (const key of keys.filter((one) => one.endsWith('.one'))) expect(keys).toContain(key.replace(/\.one$/, '.other'))
})

test('no text lies around unused', () => {
  const folder = fileURLToPath(new URL('../../src/', import.meta.url))
  const sources = readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((file) => /\.(eta|ts)$/.test(file))
    .map((file) => readFileSync(`${folder}${file}`, 'utf8'))
    .join('\n')
  const namedByCode = /^(error|field|notice|activity)\./
  const unused = keys.filter((key) => !namedByCode.test(key) && !sources.includes(`'${key.replace(/\.(one|other)$/, '')}'`))
  expect(unused).toEqual([])
})

test('values stand in their place, as plain text, once', () => {
  expect(t('layout.home', { site: 'A & B' })).toBe('A & B, front page')
  expect(t('device.full', { browser: '{system}', system: '$&' })).toBe('{system} on $&')
  expect(t('layout.home', { toString: 'x' })).toBe('{site}, front page')
  expect(fieldText(t, { field: 'password', code: 'too_short', values: { min: 8 } })).toBe('Use at least 8 characters.')
})

test('one session and many sessions are told apart', () => {
  expect(t.count('sessions.end_others', 1)).toBe('End the other session')
  expect(t.count('sessions.end_others', 2)).toBe('End the other 2 sessions')
  expect(t.count('summary.fields', 1200)).toBe('1,200 things need another look.')
})

test('a moment is told in UTC', () => {
  const moment = Date.UTC(2026, 4, 4, 9, 12, 30)
  expect(t.date(moment, 'short')).toBe('4 May 2026')
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
  expect(activityText(t, { event: 'login', outcome: 'success', device: 'Safari on Mac' })).toBe('Logged in · Safari on Mac')
  expect(activityText(t, { event: 'toString', outcome: '', device: 'Safari on Mac' })).toBe(
    'Something else happened · Safari on Mac',
  )
})

test('a visitor gets the language they chose, then the one they read, then the site’s', () => {
  expect(pickLocale('en', 'de', 'en')).toBe('en')
  expect(pickLocale('EN-us', undefined, 'en')).toBe('en')
  expect(pickLocale('__proto__', 'de;q=0.9, en-GB;q=0.8, *;q=0.1', 'en')).toBe('en')
  expect(pickLocale(undefined, ';;q=,,en;q=abc,en;q=0', 'en')).toBe('en')
  expect(pickLocale(undefined, 'x'.repeat(100_000), 'en')).toBe('en')
})
