// `/language`: the language of the pages, chosen with a button that stands on each of them.
import { z } from 'zod'
import { action } from '../../http/action.ts'
import { locale, returnTo } from '../../http/fields.ts'
import { keepLanguage } from '../../http/language-cookie.ts'
import { perNetwork } from '../../http/limits.ts'
import { localPath, localReferer } from '../../http/return-to.ts'
import { chooseLanguage } from './choose-language.ts'

export const languageRoutes = action({
  path: '/language',
  guard: 'anybody',
  input: z.object({ locale, returnTo }),
  endpoints: ['page'],
  limits: [perNetwork('language', '120 per 10m', 'keep')],
  run: chooseLanguage,
  answer: (_result, { http, req, res }, input) => {
    keepLanguage(http, res, input.locale)
    return { to: localPath(input.returnTo) ?? localReferer(req.headers.referer, http.origin) ?? '/' }
  },
})
