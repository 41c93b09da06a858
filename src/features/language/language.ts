// `/language`: chooses the language of the pages, by a button in the header.
import { z } from 'zod'
import { type Action, action } from '../../http/action.ts'
import { feature } from '../../http/feature.ts'
import { locale, returnTo } from '../../http/fields.ts'
import { part } from '../../http/http-context.ts'
import { keepLanguage } from '../../http/language-cookie.ts'
import { judged, perNetwork } from '../../http/limits.ts'
import { localPath, localReferer } from '../../http/return-to.ts'
import { chooseLanguage } from './choose-language.ts'
import en from './texts.en.json' with { type: 'json' }
import zhTW from './texts.zh-TW.json' with { type: 'json' }

const choose: Action = action({
  at: 'choose',
  guard: 'anybody',
  input: z.object({ locale, returnTo }),
  limit: [perNetwork('language', judged('120 per 10m'))],
  api: false,
  run: chooseLanguage,
  answer: (_result, { http, req, res }, input) => {
    keepLanguage(http, res, input.locale)
    return { to: localPath(input.returnTo) ?? localReferer(req.headers.referer, http.origin) ?? '/' }
  },
})

export const language = feature({
  name: 'language',
  paths: { choose: '/language' },
  texts: { en, 'zh-TW': zhTW },
  actions: [choose],
  on: { header: [part('language/chooser', () => ({}))] },
})
