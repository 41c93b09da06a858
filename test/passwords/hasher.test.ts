// Password hashing: every byte counts, stored forms, and bcrypt of other programs.
import fc from 'fast-check'
import { afterAll, describe, expect, test } from 'vitest'
import { createHasher } from '../../src/passwords/hasher.ts'
import { hasher, SMALL } from './support.ts'

const PEPPERS = { old: 'a pepper of the old days, long enough', new: 'a pepper of these days, long enough' }
const ARGON2ID = /^\$argon2id\$v=19\$m=1024,t=1,p=1\$[A-Za-z0-9+/]{22}\$[A-Za-z0-9+/]{43}$/

describe.each(['argon2id', 'bcrypt'] as const)('%s', (algorithm) => {
  const passwords = createHasher({ ...SMALL, algorithm })
  afterAll(() => passwords.close())

  test('A-03 every one of a hundred characters counts', async () => {
    const password = 'abcdefghij'.repeat(10)
    const stored = await passwords.hash(password)
    expect(await passwords.verify(stored, password)).toBe(true)
    expect(await passwords.verify(stored, password.slice(0, 72))).toBe(false)
    expect(await passwords.verify(stored, password.slice(0, 99))).toBe(false)
    expect(await passwords.verify(stored, `${password.slice(0, 99)}J`)).toBe(false)
  })

  test('A-03 the longest password counts to its last byte', async () => {
    const password = '😀'.repeat(256)
    const stored = await passwords.hash(password)
    expect(await passwords.verify(stored, password)).toBe(true)
    expect(await passwords.verify(stored, `${'😀'.repeat(255)}😁`)).toBe(false)
  })

  test('A-04 a NUL shortens nothing', async () => {
    const stored = await passwords.hash('aaaaaaaaaaaaaaa\0bbb')
    expect(await passwords.verify(stored, 'aaaaaaaaaaaaaaa\0bbb')).toBe(true)
    expect(await passwords.verify(stored, 'aaaaaaaaaaaaaaa')).toBe(false)
    expect(await passwords.verify(stored, 'aaaaaaaaaaaaaaa\0ccc')).toBe(false)
  })

  test('A-05 a megabyte is refused without any hash work', async () => {
    const stored = await passwords.hash('a good password')
    const before = passwords.stats
    const long = 'x'.repeat(1_000_000)
    await expect(passwords.hash(long)).rejects.toThrow(RangeError)
    await expect(passwords.verify(stored, long)).rejects.toThrow(RangeError)
    await expect(passwords.verify(undefined, long)).rejects.toThrow(RangeError)
    expect(passwords.stats).toEqual(before)
  })

  test('A-07 case and outer spaces count', async () => {
    const stored = await passwords.hash('  Abcdefgh  ')
    expect(await passwords.verify(stored, '  Abcdefgh  ')).toBe(true)
    expect(await passwords.verify(stored, 'Abcdefgh')).toBe(false)
    expect(await passwords.verify(stored, '  abcdefgh  ')).toBe(false)
  })

  test('A-08 both spellings of an accented letter are one password', async () => {
    const stored = await passwords.hash('caf\u00e9 au lait')
    expect(await passwords.verify(stored, 'cafe\u0301 au lait')).toBe(true)
    expect(await passwords.verify(await passwords.hash('cafe\u0301 au lait'), 'caf\u00e9 au lait')).toBe(true)
    expect(await passwords.verify(stored, 'cafe au lait')).toBe(false)
  })

  test('A-03 half a surrogate pair fits no password, not even one with the replacement character', async () => {
    const stored = await passwords.hash('password-\ufffd')
    expect(await passwords.verify(stored, 'password-\ud83d')).toBe(false)
    await expect(passwords.hash('password-\ud83d')).rejects.toThrow(RangeError)
  })

  test('A-16 one password of two people is stored differently', async () => {
    const hashes = await Promise.all(Array.from({ length: 50 }, () => passwords.hash('the same password')))
    expect(new Set(hashes).size).toBe(50)
  })

  test('A-03 whatever the password, it fits its own hash and one that differs by a character does not', async () => {
    await fc.assert(
      fc.asyncProperty(fc.string({ unit: 'binary', maxLength: 60 }), async (password) => {
        fc.pre(password.isWellFormed())
        const stored = await passwords.hash(password)
        expect(await passwords.verify(stored, password)).toBe(true)
        expect(await passwords.verify(stored, `${password}x`)).toBe(false)
      }),
      { numRuns: 50 },
    )
  })

  test('A-21 no password fits a blank, absent or damaged stored value, and looking costs a hash each time', async () => {
    const real = await passwords.hash('a good password')
    const damaged = [
      undefined,
      '',
      ' ',
      'null',
      '*',
      '!',
      'a good password',
      real.slice(0, -1),
      `x${real}`,
      `${real}x`,
      `${real}\n`,
    ]
    const before = passwords.stats.done
    for (const stored of damaged) {
      for (const password of ['', ' ', 'a good password']) expect(await passwords.verify(stored, password)).toBe(false)
    }
    expect(passwords.stats.done - before).toBe(damaged.length * 3)
  })
})

describe('stored form', () => {
  test('A-14 argon2id is stored as a PHC string with its parameters, and a thousand rows have a thousand salts', async () => {
    const passwords = hasher({ queueLimit: 1000 })
    const hashes = await Promise.all(Array.from({ length: 1000 }, () => passwords.hash('the same password')))
    for (const hash of hashes) expect(hash).toMatch(ARGON2ID)
    expect(new Set(hashes.map((hash) => hash.split('$')[4])).size).toBe(1000)
  })

  test('A-04 bcrypt is always pre-hashed, and the stored text says so', async () => {
    expect(await hasher({ algorithm: 'bcrypt' }).hash('a good password')).toMatch(/^hmac-sha256=none:\$2b\$04\$.{53}$/)
  })

  test('A-17 a peppered hash names its pepper and does not contain it', async () => {
    const stored = await hasher({ peppers: [PEPPERS.new] }).hash('a good password')
    expect(stored).toMatch(/^hmac-sha256=[0-9a-f]{16}:\$argon2id\$/)
    expect(stored).not.toContain('pepper of')
  })

  test('A-14 a damaged row cannot ask for more memory or rounds than any setting may', async () => {
    const passwords = hasher()
    const [, , , parameters, salt, tag] = (await passwords.hash('a good password')).split('$')
    expect(parameters).toBe('m=1024,t=1,p=1')
    for (const greedy of [
      'm=4294967295,t=1,p=1',
      'm=9999999,t=1,p=1',
      'm=1024,t=99,p=1',
      'm=1024,t=1,p=99',
      'm=7,t=1,p=1',
      'm=0,t=0,p=0',
    ]) {
      expect(await passwords.verify(`$argon2id$v=19$${greedy}$${salt}$${tag}`, 'a good password')).toBe(false)
    }
    expect(await passwords.verify(`$2b$31$${'.'.repeat(53)}`, 'a good password')).toBe(false)
  })
})

describe('imported bcrypt', () => {
  test('A-15 a plain bcrypt hash is verified as it is, and is to be replaced', async () => {
    const { hashSync } = await import('@node-rs/bcrypt')
    const passwords = hasher()
    for (const version of ['2a', '2b', '2y'] as const) {
      const stored = hashSync('correct horse', { cost: 4, version })
      expect(await passwords.verify(stored, 'correct horse')).toBe(true)
      expect(await passwords.verify(stored, 'correct hors')).toBe(false)
      expect(passwords.needsRehash(stored)).toBe(true)
      expect(hasher({ algorithm: 'bcrypt' }).needsRehash(stored)).toBe(true)
    }
  })

  test('A-08 an imported hash was made of what was typed, so it is checked against what is typed', async () => {
    const { hashSync } = await import('@node-rs/bcrypt')
    expect(await hasher().verify(hashSync('cafe\u0301 au lait', { cost: 4 }), 'cafe\u0301 au lait')).toBe(true)
  })

  test('A-21 a pre-hashed value does not verify as a plain one, so a stolen digest is no password', async () => {
    const stored = await hasher({ algorithm: 'bcrypt' }).hash('a good password')
    expect(await hasher({ algorithm: 'bcrypt' }).verify(stored.replace('hmac-sha256=none:', ''), 'a good password')).toBe(false)
  })
})

describe('change of settings', () => {
  test('A-15 a hash made with the settings of today stays, any other is to be replaced', async () => {
    const peppered = { peppers: [PEPPERS.new] }
    const settings = [
      {},
      { argon2: { memoryKiB: 2048, passes: 1 } },
      { argon2: { memoryKiB: 1024, passes: 2 } },
      { algorithm: 'bcrypt' },
      { algorithm: 'bcrypt', bcryptCost: 5 },
      peppered,
      { peppers: [PEPPERS.old, PEPPERS.new] },
      { ...peppered, algorithm: 'bcrypt' },
    ] as const
    const hashers = settings.map((changes) => hasher(changes))
    for (const maker of hashers) {
      const stored = await maker.hash('a good password')
      expect(hashers.map((judge) => judge.needsRehash(stored))).toEqual(hashers.map((judge) => judge !== maker))
    }
  })

  test('A-15 old parameters and the other algorithm still verify', async () => {
    const now = hasher()
    for (const past of [hasher({ argon2: { memoryKiB: 64, passes: 3 } }), hasher({ algorithm: 'bcrypt' })]) {
      expect(await now.verify(await past.hash('a good password'), 'a good password')).toBe(true)
    }
  })

  test('A-15 several lanes, a short salt and a short tag verify where they are valid, and are to be replaced', async () => {
    const { hashSync } = await import('@node-rs/argon2')
    const options = { memoryCost: 1024, timeCost: 1, parallelism: 1 }
    const imported = [
      hashSync('a good password', { ...options, parallelism: 4 }),
      hashSync('a good password', { ...options, salt: Buffer.alloc(8, 1) }),
      hashSync('a good password', { ...options, outputLen: 16 }),
    ]
    const passwords = hasher()
    for (const stored of imported) {
      expect(await passwords.verify(stored, 'a good password')).toBe(true)
      expect(passwords.needsRehash(stored)).toBe(true)
    }
  })

  test('A-17 without its pepper a hash fails closed, at the cost of a hash and without a crash', async () => {
    const stored = await hasher({ peppers: [PEPPERS.old] }).hash('a good password')
    for (const peppers of [[], [PEPPERS.new]]) {
      const passwords = hasher({ peppers })
      expect(await passwords.verify(stored, 'a good password')).toBe(false)
      expect(passwords.stats.done).toBe(1)
      expect(passwords.hasNoPepper(stored)).toBe(true)
      expect(passwords.needsRehash(stored)).toBe(true)
    }
  })

  test('A-17 peppers rotate: the old one is accepted, the new one is used', async () => {
    const stored = await hasher({ peppers: [PEPPERS.old] }).hash('a good password')
    const passwords = hasher({ peppers: [PEPPERS.new, PEPPERS.old] })
    expect(await passwords.verify(stored, 'a good password')).toBe(true)
    expect(passwords.hasNoPepper(stored)).toBe(false)
    expect(passwords.needsRehash(stored)).toBe(true)
    const renewed = await passwords.hash('a good password')
    expect(passwords.needsRehash(renewed)).toBe(false)
    expect(await hasher({ peppers: [PEPPERS.new] }).verify(renewed, 'a good password')).toBe(true)
  })

  test('A-17 hashes from before the first pepper still verify, and get it', async () => {
    const stored = await hasher().hash('a good password')
    const passwords = hasher({ peppers: [PEPPERS.new] })
    expect(await passwords.verify(stored, 'a good password')).toBe(true)
    expect(passwords.needsRehash(stored)).toBe(true)
  })
})
