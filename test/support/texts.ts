// Every text of a site: those of src/i18n, and those of the features.
import { FEATURES } from '../../src/features/all.ts'
import { textsOf } from '../../src/http/routes.ts'
import en from '../../src/i18n/en.json' with { type: 'json' }
import { type Catalogue, createTranslators, type Locale } from '../../src/i18n/translate.ts'
import zhTW from '../../src/i18n/zh-TW.json' with { type: 'json' }

const features = textsOf(FEATURES)

export const translator = createTranslators(features)

/** By their full keys, as pages ask for them. */
export const catalogues: Readonly<Record<Locale, Catalogue>> = {
  en: { ...en, ...features.en },
  'zh-TW': { ...zhTW, ...features['zh-TW'] },
}
