// A device is named from a table, whatever its user agent says.
import { expect, test } from 'vitest'
import { translator } from '../../src/i18n/translate.ts'
import { deviceName } from '../../src/views/device-name.ts'

const t = translator('en')

test.each([
  ['Firefox on Linux', 'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0'],
  [
    'Chrome on Windows',
    'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 Safari/537.36',
  ],
  [
    'Edge on Windows',
    'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 Safari/537.36 Edg/141.0',
  ],
  ['Opera on Mac', 'Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 Chrome/141.0.0.0 Safari/537.36 OPR/120.0'],
  [
    'Safari on Mac',
    'Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/26.0 Safari/605.1.15',
  ],
  [
    'Safari on iPhone',
    'Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) AppleWebKit/605.1.15 Version/26.0 Mobile/15E148 Safari/604.1',
  ],
  ['Chrome on iPad', 'Mozilla/5.0 (iPad; CPU OS 18_6 like Mac OS X) AppleWebKit/605.1.15 CriOS/141.0 Mobile/15E148 Safari/604.1'],
  [
    'Samsung Internet on Android',
    'Mozilla/5.0 (Linux; Android 15) AppleWebKit/537.36 SamsungBrowser/28.0 Chrome/130.0 Mobile Safari/537.36',
  ],
  ['A browser on Linux', 'Something (X11; Linux)'],
  ['Firefox', 'Firefox/140.0'],
])('%s is recognised', (name, userAgent) => {
  expect(deviceName(userAgent, t)).toBe(name)
})

test('a device that nobody knows is an unknown device, and its text is never shown', () => {
  for (const userAgent of [undefined, '', 'curl/8.5.0', '<script>alert(1)</script>', `${'x'.repeat(600)} Firefox/140.0`]) {
    expect(deviceName(userAgent, t)).toBe('Unknown device')
  }
  expect(deviceName('<b>Firefox/1</b> Windows', t)).toBe('Firefox on Windows')
})
