// Which passwords a person may have: long enough, any characters, nothing that everybody tries first.
import { readFileSync } from 'node:fs'
import express from 'express'
import { describe, expect, test } from 'vitest'
import { inDatabase, siteOfTest } from '../support/artifacts.ts'
import type { Site } from '../support/site.ts'
import { type Answer, GOOD_PASSWORD } from '../support/visitor.ts'

const MEGABYTE = 'x'.repeat(1_000_000)
/** A host that reads bodies itself, and reads much. */
const bigJson = [express.json({ limit: '8mb' }), express.urlencoded({ extended: true, limit: '8mb' })]

let people = 0
const nextName = () => `person-${people++}`

async function register(site: Site, password: string, username = nextName()): Promise<Answer> {
  return site.visitor().register(username, password)
}

/** Registers with one password and logs in with each of the others. */
async function loginsAfter(site: Site, password: string, tries: readonly string[]): Promise<readonly number[]> {
  const username = nextName()
  expect((await register(site, password, username)).status).toBe(201)
  const statuses: number[] = []
  for (const attempt of tries) statuses.push((await site.visitor().logIn(username, attempt)).status)
  return statuses
}

function codesOf(answer: Answer): readonly string[] {
  return answer.json<{ errors: { field: string; code: string }[] }>().errors.map(({ field, code }) => `${field} ${code}`)
}

describe('length', () => {
  test('A-01 a password has eight code points or more, or fifteen where the site asks for that', async () => {
    const statuses = async (site: Site, passwords: readonly string[]) =>
      Promise.all(passwords.map(async (password) => (await register(site, password)).status))
    const owls = ['🦉🐙🦊🐢🦀🐝🦋', '🦉🐙🦊🐢🦀🐝🦋🐌']
    // Four letters with their accents apart are eight code points as sent and four as counted.
    expect(await statuses(await siteOfTest(), ['kzmwqpv', 'kzmwqpvx', ...owls, 'e\u0301o\u0308a\u0300u\u0302'])).toEqual([
      422, 201, 422, 201, 422,
    ])
    const strict = await siteOfTest({ passwords: { minLength: 15 } })
    const long = ['kzmwqpvxkzmwqp', 'kzmwqpvxkzmwqpv', `${owls[0]}${owls[0]}`, `${owls[1]}${owls[0]}`]
    expect(await statuses(strict, long)).toEqual([422, 201, 422, 201])
  })

  test('A-02 sixty-four characters of any kind are accepted, and the longest that are have 256 code points', async () => {
    const site = await siteOfTest()
    expect(await loginsAfter(site, '\u{1F600}'.repeat(64), ['\u{1F600}'.repeat(64)])).toEqual([200])
    expect(await loginsAfter(site, '\u{1F600}'.repeat(256), ['\u{1F600}'.repeat(256), '\u{1F600}'.repeat(255)])).toEqual([
      200, 401,
    ])
    const tooLong = await register(site, '\u{1F600}'.repeat(257))
    expect([tooLong.status, codesOf(tooLong)]).toEqual([422, ['password too_long']])
  })

  test.each(['argon2id', 'bcrypt'] as const)('A-03 every byte of a password counts with %s', async (hash) => {
    const site = await siteOfTest({ passwords: { hash, bcryptCost: 4 } })
    const password = 'lantern-9 '.repeat(10)
    const others = [
      password.slice(0, 72),
      password.slice(0, 99),
      `${password.slice(0, 99)}!`,
      `${password}!`,
      `!${password.slice(1)}`,
    ]
    expect(await loginsAfter(site, password, [...others, password])).toEqual([401, 401, 401, 401, 401, 200])
    const owls = '🦉'.repeat(255)
    expect(await loginsAfter(site, `${owls}🐙`, [owls, `${owls}🐘`, `${owls}🐙`])).toEqual([401, 401, 200])
  })

  test.each(['argon2id', 'bcrypt'] as const)('A-04 NUL and control characters shorten nothing with %s', async (hash) => {
    const site = await siteOfTest({ passwords: { hash, bcryptCost: 4 } })
    for (const control of ['\0', '\n', '\r', '\x1a', '\x7f', '\x1b']) {
      const password = `granite-lantern${control}bbb`
      const tries = [
        'granite-lantern',
        `granite-lantern${control}`,
        `granite-lantern${control}ccc`,
        'granite-lanternbbb',
        password,
      ]
      expect(await loginsAfter(site, password, tries)).toEqual([401, 401, 401, 401, 200])
    }
  })

  test('A-05 a megabyte of password is refused at every endpoint before any hash', async () => {
    const hostParses = await siteOfTest({ before: (app) => app.use(bigJson) })
    for (const site of [await siteOfTest(), hostParses]) {
      const member = site.visitor()
      await member.register('patient')
      const before = site.core.passwords.stats.done
      for (const password of [MEGABYTE, 'x'.repeat(10_000), 'e\u0301'.repeat(3000), '\u{1F600}'.repeat(257)]) {
        const fields = { username: 'patient', password }
        const answers = [
          await site.visitor().api('/login', fields),
          await site.visitor().api('/register', { ...fields, username: nextName() }),
          await member.api('/reauthenticate', fields),
          await site.visitor().form('/login', fields),
          await site.visitor().form('/register', { ...fields, username: nextName() }),
          await member.form('/reauthenticate', fields),
        ]
        for (const { status, text } of answers) {
          expect([413, 422]).toContain(status)
          expect(text).not.toContain(password.slice(0, 100))
        }
      }
      expect(site.core.passwords.stats.done - before).toBe(0)
    }
  })
})

describe('characters', () => {
  test('A-06 there are no rules of composition: letters alone, spaces, other scripts and all of ASCII will do', async () => {
    const site = await siteOfTest()
    const ascii = Array.from({ length: 95 }, (_, at) => String.fromCharCode(0x20 + at)).join('')
    const scripts = ['тихоеболото', 'كلمةالسرالطويلة', '静かな夜の灯台は白い']
    for (const password of ['qzkvmwpjxghbtrn', 'quiet  water  q', ascii, '\t\ttabs\tand\ttabs', ...scripts]) {
      expect(await loginsAfter(site, password, [password])).toEqual([200])
      const username = nextName()
      expect((await site.visitor().form('/register', { username, password })).status).toBe(303)
      expect((await site.visitor().form('/login', { username, password })).status).toBe(303)
      expect((await site.visitor().logIn(username, password)).status).toBe(200)
    }
  })

  test('A-07 capital letters count, and so do spaces at the ends', async () => {
    const site = await siteOfTest()
    const password = '  Abcdefgh lantern  '
    const others = [
      password.trim(),
      password.trimEnd(),
      password.trimStart(),
      password.toLowerCase(),
      password.toUpperCase(),
      ` ${password}`,
    ]
    expect(await loginsAfter(site, password, [...others, password])).toEqual([401, 401, 401, 401, 401, 401, 200])
  })

  test('A-08 both spellings of an accented letter are one password, at the login and at the confirmation', async () => {
    const site = await siteOfTest()
    const spellings = ['caf\u00e9 au lait \uac00', 'cafe\u0301 au lait \u1100\u1161']
    for (const password of spellings) {
      expect(await loginsAfter(site, password, [...spellings, 'cafe au lait \uac00'])).toEqual([200, 200, 401])
      const member = site.visitor()
      await member.register(nextName(), password)
      for (const spelling of spellings) expect((await member.api('/reauthenticate', { password: spelling })).status).toBe(204)
    }
    // Compatibility forms stay apart: NFC, not NFKC.
    expect(await loginsAfter(site, 'ﬁle cabinet', ['file cabinet', 'ﬁle cabinet'])).toEqual([401, 200])
  })
})

describe('choice', () => {
  test('A-09 passwords that everybody tries first are refused, whatever their case', async () => {
    const site = await siteOfTest()
    const list = readFileSync(new URL('../../src/passwords/common-passwords.txt', import.meta.url), 'utf8')
      .trim()
      .split('\n')
    expect(list.length).toBeGreaterThan(3000)
    const sampled = Array.from({ length: 20 }, (_, n) => list[Math.floor((n * list.length) / 20)] ?? '')
    for (const password of sampled.flatMap((entry) => [entry, entry.toUpperCase()])) {
      const refused = await register(site, password)
      expect([password, refused.status, codesOf(refused)]).toEqual([password, 422, ['password too_common']])
    }
    expect(await inDatabase(site, 'SELECT id FROM guildhall_users')).toEqual([])
  })

  test('A-11 a password that is little more than the own name or the name of the site is refused', async () => {
    const site = await siteOfTest({ siteName: 'Owl & Lantern' })
    const weak = [
      'alice.smith2026!!',
      'ALICE.SMITH2026!!',
      '12alice.smith34',
      'owl & lantern 1',
      'Owl & LanternOwl & Lantern',
      'alice.smithOwl & Lantern1',
    ]
    for (const password of weak) {
      const refused = await register(site, password, 'Alice.Smith')
      expect([password, refused.status, codesOf(refused)]).toEqual([password, 422, ['password too_personal']])
    }
    expect((await register(site, 'alice.smith and a granite ferry', 'Alice.Smith')).status).toBe(201)
  })

  test('A-20 there are no hints and no security questions, neither on the pages nor in the database', async () => {
    const site = await siteOfTest()
    const telltale = /hint|question|answer|maiden|reminder/i
    expect(site.paths.filter((path) => telltale.test(path))).toEqual([])
    const found = await inDatabase(site, 'SELECT m.name AS t, p.name AS c FROM sqlite_schema m, pragma_table_info(m.name) p')
    const columns = found.map(({ t, c }) => `${String(t)}.${String(c)}`)
    expect(columns).toContain('guildhall_credentials.data')
    expect(columns.filter((column) => telltale.test(column))).toEqual([])
    for (const path of ['/register', '/login']) {
      const { text } = await site.visitor().get(path)
      const names = [...text.matchAll(/<(?:input|select|textarea)\b[^>]*\sname="([^"]+)"/g)].map(([, name]) => name ?? '')
      expect(names).toEqual(expect.arrayContaining(['username', 'password']))
      expect(names.filter((name) => telltale.test(name))).toEqual([])
    }
    const member = site.visitor()
    await member.register('alice', GOOD_PASSWORD)
    expect((await member.api('/register', { username: 'bob', password: GOOD_PASSWORD, hint: 'the usual' })).text).not.toContain(
      'the usual',
    )
  })
})
