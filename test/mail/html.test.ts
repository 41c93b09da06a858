// The HTML of a mail as a reader shows it: rules of WCAG in light and dark, small screens, nothing loaded.
import AxeBuilder from '@axe-core/playwright'
import { expect, test } from 'vitest'
import { composeMail } from '../../src/mail/compose.ts'
import { describeInChromium } from '../support/in-chromium.ts'

const url = 'https://members.example.org/reset-password?token=Zk3vQ9xT7bL1mN5pR8sW2yA4cE6gH0jKZk3vQ9xT7bL'
const MAILS = {
  en: composeMail(
    {
      subject: 'A new password',
      lang: 'en',
      heading: 'Choose a new password',
      blocks: [{ paragraph: `Hello ${'Anna'.repeat(30)}.` }, { button: 'Choose a password', url }, { code: 'BCDF-GHJK' }],
      foot: 'You got this because somebody typed your address.',
    },
    'Harbour',
  ),
  'zh-TW': composeMail(
    {
      subject: '設定新的密碼',
      lang: 'zh-TW',
      heading: '設定新的密碼',
      blocks: [{ paragraph: '以下連結只能使用一次。' }, { button: '設定密碼', url }, { code: 'BCDF-GHJK' }],
      foot: '如果不是您本人，請忽略這封信。',
    },
    '港口',
  ),
}

describeInChromium((browser) => {
  test.each([
    ['en', 'light'],
    ['en', 'dark'],
    ['zh-TW', 'light'],
    ['zh-TW', 'dark'],
  ] as const)('a mail in %s, %s, can be read by everybody on a phone, and loads nothing', async (lang, colorScheme) => {
    const context = await browser().newContext({ colorScheme, viewport: { width: 320, height: 700 } })
    try {
      const page = await context.newPage()
      const asked: string[] = []
      page.on('request', (request) => asked.push(request.url()))
      await page.setContent(MAILS[lang].html)
      const { violations } = await new AxeBuilder({ page }).analyze()
      expect(violations.map(({ id, nodes }) => `${id}: ${nodes[0]?.html}`)).toEqual([])
      expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(320)
      const box = await page.getByRole('link').first().boundingBox()
      expect(box?.height).toBeGreaterThanOrEqual(44)
      expect(await page.getByRole('link').first().getAttribute('href')).toBe(url)
      expect(asked).toEqual([])
      const background = String(await page.evaluate('getComputedStyle(document.body).backgroundColor'))
      expect(Number(/\d+/.exec(background)?.[0]) < 128).toBe(colorScheme === 'dark')
    } finally {
      await context.close()
    }
  })
})
