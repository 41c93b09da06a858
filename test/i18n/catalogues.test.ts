// Every language says everything, says it the same way, and says it alone: no sentence for people stands outside the catalogues.
import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import en from '../../src/i18n/en.json' with { type: 'json' }
import { LANGUAGES, LOCALES } from '../../src/i18n/translate.ts'
import zhTW from '../../src/i18n/zh-TW.json' with { type: 'json' }

const english: Readonly<Record<string, string>> = en
const chinese: Readonly<Record<string, string>> = zhTW

function placeholders(text: string): string[] {
  return [...new Set(text.match(/\{\w+\}/g) ?? [])].toSorted()
}

describe('the catalogues', () => {
  test('have the same texts in the same order, but for the form for one, which Chinese does not have', () => {
    expect(Object.keys(chinese)).toEqual(Object.keys(english).filter((key) => !key.endsWith('.one')))
    expect(Object.keys(english).filter((key) => key in chinese === false && !key.endsWith('.one'))).toEqual([])
  })

  test('take the same values', () => {
    for (const [key, text] of Object.entries(chinese))
      expect([key, placeholders(text)]).toEqual([key, placeholders(english[key] ?? '')])
  })

  test('name themselves', () => {
    expect(LANGUAGES).toEqual([
      { locale: 'en', name: 'English' },
      { locale: 'zh-TW', name: '繁體中文' },
    ])
    expect(LANGUAGES.map(({ locale }) => locale)).toEqual([...LOCALES])
  })

  test('Chinese is written as in Taiwan: full-width marks, no simplified character, no word of the mainland', () => {
    for (const [key, text] of Object.entries(chinese)) {
      expect(text.trim(), key).toBe(text)
      expect(text, key).not.toMatch(/\p{Script=Han}[,.;:!?()]|[,;!?()]\p{Script=Han}/u)
      expect(text, key).not.toMatch(/[这为个么还们问题务码设备错误请输册录软网络页号确认会员变显试]/u)
      expect(text, key).not.toMatch(/登錄|注册|註冊表|賬|用戶|默認|信息|網絡|服務器|鏈接|屏幕|文件夾|您/u)
    }
  })
})

interface Source {
  readonly file: string
  readonly text: string
}

const SRC = fileURLToPath(new URL('../../src/', import.meta.url))

/** Rooms whose texts reach people. Lines of the log, faults of settings and errors for programmers are English, to be searched for. */
const SPOKEN = /^(?:cli|features|http|views)\//
/** The description of the API, in English like the names in it. */
const FOR_PROGRAMMERS = new Set(['http/openapi.ts', 'http/shapes.ts'])

/** What is said to programmers and operators' logs, and regular expressions. */
const TECHNICAL = [
  /new TypeError\((?:[^()]|\([^()]*\))*\)/g,
  /\blog\.\w+\((?:[^()]|\([^()]*\))*\)/g,
  /\b(?:description|summary):\s*(?:'[^']*'|`[^`]*`)|\bexamples: \[[^\]]*\]/g,
  /\bhasher\.hash\('[^']*'\)/g,
]

function sentences(text: string): string[] {
  const code = TECHNICAL.reduce(
    (rest, pattern) => rest.replace(pattern, ''),
    text.replace(/\/\*[\s\S]*?\*\/|(^|\s)\/\/.*$/gm, ''),
  )
  const literals = [...code.matchAll(/'((?:[^'\\\n]|\\.)*)'|`((?:[^`\\]|\\.)*)`/g)].map(
    ([, single, template]) => single ?? template ?? '',
  )
  // Three words in a row, or a capital and another word: what a person would read as a sentence.
  return literals.filter((literal) => /[A-Za-z]{2,} [a-z]{2,} [a-z]{2,}|[A-Z][a-z]+ [a-z]{2,}|\p{Script=Han}/u.test(literal))
}

describe('no sentence for people stands outside the catalogues', () => {
  const sources: readonly Source[] = readdirSync(SRC, { recursive: true, encoding: 'utf8' })
    .map((file) => file.replaceAll('\\', '/'))
    .filter((file) => SPOKEN.test(file) && !FOR_PROGRAMMERS.has(file) && /\.(?:ts|js)$/.test(file))
    .map((file) => ({ file, text: readFileSync(`${SRC}${file}`, 'utf8') }))

  test('in what the rooms say that speak to them', () => {
    const found = sources.flatMap(({ file, text }) => sentences(text).map((sentence) => `${file}: ${sentence}`))
    expect(found).toEqual([])
  })

  test('and the search would find one', () => {
    expect(sentences("say('Nothing was changed.')")).toEqual(['Nothing was changed.'])
    expect(sentences('const text = `that is far too many`')).toHaveLength(1)
    expect(sentences("say('沒有變動')")).toHaveLength(1)
    expect(sentences("throw new TypeError('size must be positive')\n// Nothing was said here.")).toEqual([])
  })
})
