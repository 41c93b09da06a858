// Which passwords a person may choose.
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { isPasswordTooLong, normalizePassword, type PasswordRules, passwordIssue } from '../../src/domain/password-policy.ts'
import { isCommonPassword } from '../../src/passwords/common.ts'

const rules: PasswordRules = { minLength: 8, context: [], isCommon: () => false }

function codeOf(password: string, changes: Partial<PasswordRules> = {}): string | undefined {
  return passwordIssue(password, { ...rules, ...changes })?.code
}

describe('length', () => {
  test('A-01 seven characters are too few and eight are enough', () => {
    expect(passwordIssue('sevench', rules)).toEqual({ code: 'too_short', values: { min: 8 } })
    expect(codeOf('eightcha')).toBeUndefined()
    expect(codeOf('')).toBe('too_short')
  })

  test('A-01 where fifteen are asked for, fourteen are too few, and fifteen emoji are enough', () => {
    expect(passwordIssue('x'.repeat(14), { ...rules, minLength: 15 })).toEqual({ code: 'too_short', values: { min: 15 } })
    expect(codeOf('x'.repeat(15), { minLength: 15 })).toBeUndefined()
    expect(codeOf('😀'.repeat(14), { minLength: 15 })).toBe('too_short')
    expect(codeOf('😀'.repeat(15), { minLength: 15 })).toBeUndefined()
  })

  test('A-02 sixty-four emoji are welcome, 256 too, 257 are refused', () => {
    expect(codeOf('😀'.repeat(64))).toBeUndefined()
    expect(codeOf('😀'.repeat(256))).toBeUndefined()
    expect(passwordIssue('😀'.repeat(257), rules)).toEqual({ code: 'too_long', values: { max: 256 } })
  })

  test('A-01 every letter counts once, however many bytes or combining marks it is typed with', () => {
    const letter = fc.constantFrom('a', 'é', 'e\u0301', '😀', '語', '\u1f82', '\u{16126}', '\0', ' ')
    fc.assert(
      fc.property(fc.array(letter, { minLength: 0, maxLength: 300 }), (letters) => {
        const expected = letters.length > 256 ? 'too_long' : letters.length < 8 ? 'too_short' : undefined
        expect(codeOf(letters.join(''))).toBe(expected)
        expect(codeOf(letters.join('').normalize('NFD'))).toBe(expected)
      }),
    )
  })

  test('A-08 no letter takes so many units decomposed that the quick refusal could meet a permitted password', () => {
    let most = 0
    for (let code = 0; code <= 0x10ffff; code++) {
      if (code >= 0xd800 && code <= 0xdfff) continue
      const letter = String.fromCodePoint(code)
      if (normalizePassword(letter) === letter) most = Math.max(most, letter.normalize('NFD').length)
    }
    expect(most).toBeLessThanOrEqual(8)
    expect(isPasswordTooLong('\u{16126}'.normalize('NFD').repeat(256))).toBe(false)
  })

  test('A-05 a megabyte of combining marks is too long', () => {
    expect(isPasswordTooLong('\u0301\u0316'.repeat(500_000))).toBe(true)
    expect(isPasswordTooLong('x'.repeat(1_000_000))).toBe(true)
  })
})

describe('content', () => {
  test('A-06 no kind of character is asked for and none is refused', () => {
    for (const password of [
      'lowercaseletters',
      '  spaced out  it is',
      '正しい馬電池ホチキス',
      'tab\tand\0nul',
      '!"#$%&()*+,-./',
    ]) {
      expect(codeOf(password)).toBeUndefined()
    }
  })

  test('A-03 half a surrogate pair is refused, because all of them would be hashed alike', () => {
    expect(codeOf('password-\ud83d')).toBe('bad_characters')
  })

  test('A-09 a common password is refused, whatever its case and width of letters', () => {
    for (const password of ['password', 'PassWord', '12345678', 'baseball', 'qwertyuiop', 'TRUSTNO1', 'iloveyou1'.slice(0, 8)]) {
      expect(codeOf(password, { isCommon: isCommonPassword })).toBe('too_common')
    }
    expect(codeOf('correct horse battery staple', { isCommon: isCommonPassword })).toBeUndefined()
    expect(isCommonPassword('')).toBe(false)
  })

  test('A-11 username and site name do not count towards the length', () => {
    const context = ['alice.smith', 'Guildhall']
    expect(passwordIssue('alice.smith2026!!', { ...rules, context })).toEqual({ code: 'too_personal', values: { min: 8 } })
    expect(codeOf('GUILDHALLaliCe.Smith', { context })).toBe('too_personal')
    expect(codeOf('aliceXsmith2026!!', { context })).toBeUndefined()
    expect(codeOf('alice.smith and seven more', { context })).toBeUndefined()
  })

  test('A-11 a word of one or two characters is passed over, and so is a blank one', () => {
    expect(codeOf('bobobobo', { context: ['bo', ''] })).toBeUndefined()
    expect(codeOf('bobbobbob', { context: ['bob'] })).toBe('too_personal')
  })

  test('A-11 of two words that begin alike the longer one is removed, in either spelling', () => {
    expect(codeOf('guildhall-1234', { context: ['guild', 'guildhall'] })).toBe('too_personal')
    expect(codeOf('ZOE\u0308LLE-1234', { context: ['zoëlle'] })).toBe('too_personal')
  })

  test('A-11 any word may stand in the list without breaking the rule', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', minLength: 3, maxLength: 40 }), (word) => {
        fc.pre(Array.from(normalizePassword(word)).length >= 3)
        expect(codeOf(word.repeat(3), { context: [word], minLength: 300 })).not.toBe('too_personal')
        expect(codeOf(`${word}x`, { context: [word], minLength: 2 })).toBe(
          word.isWellFormed() ? 'too_personal' : 'bad_characters',
        )
      }),
    )
  })
})
