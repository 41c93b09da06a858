// Says which browser on which system, never in the words of the header itself.
import type { Translate } from '../i18n/translate.ts'

/** A longer header than this is no browser's; the rest is not read. */
const MAX_CHARACTERS = 512

// The first match wins: Edge and Opera also say Chrome, Chrome also says Safari.
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

// iPhones also say Mac OS X, Android also says Linux.
const SYSTEMS = [
  ['iPhone', 'iPhone'],
  ['iPad', 'iPad'],
  ['Android', 'Android'],
  ['Windows', 'Windows'],
  ['CrOS', 'ChromeOS'],
  ['Mac OS X', 'Mac'],
  ['Linux', 'Linux'],
] as const

/** `Firefox on Linux`; what is not in the table is an unknown device. */
export function deviceName(userAgent: string | undefined, t: Translate): string {
  const text = (userAgent ?? '').slice(0, MAX_CHARACTERS)
  const browser = nameIn(BROWSERS, text)
  const system = nameIn(SYSTEMS, text)
  if (browser && system) return t('device.full', { browser, system })
  if (system) return t('device.system', { system })
  if (browser) return t('device.browser', { browser })
  return t('device.unknown')
}

function nameIn(table: readonly (readonly [mark: string, name: string])[], text: string): string | undefined {
  return table.find(([mark]) => text.includes(mark))?.[1]
}
