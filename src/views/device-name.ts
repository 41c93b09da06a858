// Names the browser and the system of a User-Agent, never with text of the header itself.
import type { Translate } from '../i18n/translate.ts'

/** No browser's header is longer; the rest is not read. */
const MAX_CHARACTERS = 512

// The first match wins: Edge and Opera also contain Chrome, Chrome also Safari.
const BROWSERS = [
  ['Edg', 'Edge'],
  ['OPR/', 'Opera'],
  ['SamsungBrowser/', 'Samsung Internet'],
  ['Vivaldi/', 'Vivaldi'],
  ['FxiOS/', 'Firefox'],
  ['Firefox/', 'Firefox'],
  ['CriOS/', 'Chrome'],
  ['Chrome/', 'Chrome'],
  ['Safari/', 'Safari'],
] as const

// The first match wins: iPhones also contain Mac OS X, Android also Linux.
const SYSTEMS = [
  ['iPhone', 'iPhone'],
  ['iPad', 'iPad'],
  ['Android', 'Android'],
  ['Windows', 'Windows'],
  ['CrOS', 'ChromeOS'],
  ['Mac OS X', 'Mac'],
  ['Linux', 'Linux'],
] as const

/** `Firefox on Linux`; an unknown device if neither is in the tables. */
export function deviceName(userAgent: string | undefined, t: Translate): string {
  const text = (userAgent ?? '').slice(0, MAX_CHARACTERS)
  const browser = nameIn(BROWSERS, text)
  const system = nameIn(SYSTEMS, text)
  if (browser && system) return t('device.full', { browser, system })
  if (system) return t('device.system', { system })
  if (browser) return t('device.browser', { browser })
  return t('device.unknown')
}

function nameIn(table: readonly (readonly [token: string, name: string])[], text: string): string | undefined {
  return table.find(([token]) => text.includes(token))?.[1]
}
