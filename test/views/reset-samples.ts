// The pages of a forgotten password.
import { errorTexts, fieldText } from '../../src/i18n/messages.ts'
import type { PageData } from '../../src/views/pages.ts'
import type { Views } from '../../src/views/render.ts'

export function resetSamples(views: Views, anybody: PageData, username: string) {
  const { t } = anybody
  const message = (field: string, code: 'required' | 'too_personal') => ({ field, message: fieldText(t, { field, code }) })
  const request = { ...anybody, isSent: false }
  const choose = { ...anybody, flow: 'f2a1', account: username, minLength: 8 }
  const dead = { ...choose, flow: undefined, account: undefined }
  const notMe = { ...anybody, flow: 'f2a1', account: username }
  return [
    { name: 'not-me', html: views.featurePage('not-me/not-me', notMe) },
    { name: 'not-me-dead', html: views.featurePage('not-me/not-me', { ...notMe, flow: undefined }) },
    { name: 'forgot', html: views.featurePage('password-reset/request', request) },
    {
      name: 'forgot-errors',
      html: views.featurePage('password-reset/request', {
        ...request,
        form: { values: { identifier: '' }, errors: [message('identifier', 'required')] },
      }),
    },
    { name: 'forgot-sent', html: views.featurePage('password-reset/request', { ...request, isSent: true }) },
    { name: 'reset', html: views.featurePage('password-reset/choose', choose) },
    {
      name: 'reset-errors',
      html: views.featurePage('password-reset/choose', {
        ...choose,
        form: { values: { flow: 'f2a1' }, errors: [message('password', 'too_personal')] },
      }),
    },
    { name: 'reset-dead', html: views.featurePage('password-reset/choose', dead) },
    {
      name: 'reset-dead-refused',
      html: views.featurePage('password-reset/choose', {
        ...dead,
        form: { values: {}, errors: [], message: errorTexts(t, 'invalid_token').detail },
      }),
    },
  ]
}
