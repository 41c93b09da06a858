// The texts of the same-site reload page, in the visitor's language.
import { pickLocale } from '../i18n/pick-locale.ts'
import type { Locale, Translate } from '../i18n/translate.ts'
import type { ReloadSettings } from '../session/request/same-site-reload.ts'
import type { Settings } from '../settings/options.ts'
import { chosenLanguage } from './language-cookie.ts'

/** This request came without the session cookie, so the language is that of the browser. */
export function reloadSettings(
  { baseUrl, siteName, locale }: Settings,
  translator: (locale: Locale) => Translate<string>,
): ReloadSettings {
  return {
    origin: baseUrl.origin,
    texts(req) {
      const t = translator(pickLocale([chosenLanguage(req)], req.headers['accept-language'], locale))
      const heading = t('same_site_reload.title')
      return {
        lang: t.locale,
        title: t('layout.title', { page: heading, site: siteName }),
        heading,
        sentence: t('same_site_reload.sentence'),
        link: t('same_site_reload.link'),
      }
    },
  }
}
