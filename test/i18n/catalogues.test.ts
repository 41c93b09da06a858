// Every language has every sentence, with the same placeholders, and no sentence is outside the catalogues.
import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { LANGUAGES, LOCALES } from '../../src/i18n/translate.ts'
import { catalogues } from '../support/texts.ts'

const { en: english, 'zh-TW': chinese } = catalogues

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
      expect(text, key).not.toMatch(
        /登錄|注册|註冊表|賬|用戶|默認|信息|網絡|服務器|鏈接|屏幕|文件|您|數據|字節|端口|通配|打印|進程|程序|配置|支持|缺省/u,
      )
    }
  })
})

interface Source {
  readonly file: string
  readonly text: string
}

const SRC = fileURLToPath(new URL('../../src/', import.meta.url))

/** What is said to programmers and to programs, in English like the names in it: a file or a whole folder, each with its reason. */
const FOR_PROGRAMMERS: Readonly<Record<string, string>> = {
  'settings/': 'errors in settings, for the operator',
  'mail/mail.ts': 'what stops a mail, for operators',
  'mail/development.ts': 'what is printed on the developer’s terminal',
  'mail/smtp-error.ts': 'what a mail server answered, for operators',
  'mail/smtp-url.ts': 'what SMTP_URL must look like',
  'core/deliver-mail.ts': 'why a mail was not sent, for operators',
  'core/test-mail.ts': 'the mail of `guildhall mail test`, for operators',
  'users/mails.ts': 'what became of it, for operators',
  'cli/': 'the command line is for operators',
  'server/': 'what the server tells its operator before it serves, and the description of the API',
  'session/': 'guildhall/session, a middleware for programmers: it has no page and no command',
  'database/': 'what connections say, which explain-failure.ts explains',
  'storage/': 'SQL, names of statements, and refusals that explain-failure.ts explains',
  'testing/': 'the titles of the tests for a session store of one’s own',
  'http/check-features.ts': 'faults of the option features: one TypeError for the developer',
  'http/openapi.ts': 'the description of the API',
  'passwords/format.ts': 'labels that go into hashes and never change',
  'domain/reserved-names.ts': 'names that nobody may register',
  'http/proxy-check.ts': 'warnings about a setting: for the log',
}

/** The same, anywhere. */
const TECHNICAL: readonly RegExp[] = [
  // Misuse and mistakes: for the log and the programmer. Refusals for people have classes of their own.
  /new (?:Type|Range)?Error\((?:[^()]|\((?:[^()]|\([^()]*\))*\))*\)/g,
  // Lines of the log are searched for.
  /\blog(?:ger)?\.(?:debug|info|warn|error|fatal)\((?:[^()]|\((?:[^()]|\([^()]*\))*\))*\)/g,
  // The description of the API, in the folders it describes.
  /\b(?:description|summary):\s*(?:'[^']*'|`[^`]*`)|\bexamples: \[[^\]]*\]/g,
  // A password that is nobody's, to measure with.
  /\bhasher\.hash\('[^']*'\)/g,
]

function sentences(text: string): string[] {
  const code = TECHNICAL.reduce(
    (rest, pattern) => rest.replace(pattern, ''),
    text.replace(/\/\*[\s\S]*?\*\/|(^|\s)\/\/.*$/gm, ''),
  )
  const literals = [...code.matchAll(/'((?:[^'\\\n]|\\.)*)'|"((?:[^"\\\n]|\\.)*)"|`((?:[^`\\]|\\.)*)`/g)].map(
    ([, single, double, template]) => single ?? double ?? template ?? '',
  )
  // Three words in a row, or a capital and another word: what a person would read as a sentence.
  return literals.filter((literal) => /[A-Za-z]{2,} [a-z]{2,} [a-z]{2,}|[A-Z][a-z]+ [a-z]{2,}|\p{Script=Han}/u.test(literal))
}

describe('no sentence for people is outside the catalogues', () => {
  const sources: readonly Source[] = readdirSync(SRC, { recursive: true, encoding: 'utf8' })
    .map((file) => file.replaceAll('\\', '/'))
    .filter((file) => /\.(?:ts|js)$/.test(file))
    .map((file) => ({ file, text: readFileSync(`${SRC}${file}`, 'utf8') }))
  const exceptionFor = (file: string) => Object.keys(FOR_PROGRAMMERS).find((place) => file === place || file.startsWith(place))
  const searched = sources.filter(({ file }) => exceptionFor(file) === undefined)

  test('in the whole program, but for what is said to programmers', () => {
    const found = searched.flatMap(({ file, text }) => sentences(text).map((sentence) => `${file}: ${sentence}`))
    expect(found).toEqual([])
  })

  test('every folder that speaks to people is searched', () => {
    const folders = new Set(searched.map(({ file }) => file.split('/')[0]))
    for (const folder of ['features', 'http', 'views', 'core', 'i18n', 'users']) expect(folders, folder).toContain(folder)
  })

  test('a sentence planted between any two parts of any file is found', () => {
    const seed = 'Nothing was changed here.'
    for (const { file, text } of searched) {
      const parts = text.split('\n\n')
      const planted = parts.join(`\n\nsay('${seed}')\n\n`)
      expect([file, sentences(planted).length]).toEqual([file, parts.length - 1])
    }
  })

  test('and so is one in any kind of quotes and either language, but not one in a comment or for a programmer', () => {
    expect(sentences("say('Nothing was changed.')")).toEqual(['Nothing was changed.'])
    expect(sentences('say("It was not so.")')).toEqual(['It was not so.'])
    expect(sentences('const text = `that is\n far too many`')).toHaveLength(1)
    expect(sentences("say('沒有變動')")).toHaveLength(1)
    expect(sentences("throw new UsageError('that is far too many')")).toHaveLength(1)
    expect(sentences('fault(`PORT must be on or off`)')).toHaveLength(1)
    expect(sentences("throw new TypeError('size must be positive')\n// Nothing was said here.")).toEqual([])
  })

  test('what is left out still has something to leave out', () => {
    const needed = new Set(sources.filter(({ text }) => sentences(text).length > 0).map(({ file }) => exceptionFor(file)))
    expect(Object.keys(FOR_PROGRAMMERS).filter((place) => !needed.has(place))).toEqual([])
  })
})
