// The pages of a proof of an address.
import { errorTexts, fieldText } from '../../src/i18n/messages.ts'
import type { PageData } from '../../src/views/pages.ts'
import type { Views } from '../../src/views/render.ts'

export function addressSamples(views: Views, anybody: PageData, member: PageData, word: string | undefined) {
  const { t } = anybody
  const username = word ?? 'anna'
  const address = word ?? 'anna@x.tw'
  const link = { flow: 'f2a1', account: username, address, isUndeliverable: false }
  const none = { ...link, flow: undefined, account: undefined }
  const show = (data: PageData & Readonly<Record<string, unknown>>) => views.featurePage('email-verification/verify', data)
  return [
    { name: 'verify-own', html: show({ ...member, ...link, state: 'own' }) },
    { name: 'verify-password', html: show({ ...anybody, ...link, state: 'password' }) },
    {
      name: 'verify-password-errors',
      html: show({
        ...anybody,
        ...link,
        state: 'password',
        form: { values: {}, errors: [{ field: 'password', message: fieldText(t, { field: 'password', code: 'required' }) }] },
      }),
    },
    { name: 'verify-other', html: show({ ...member, ...link, state: 'other' }) },
    { name: 'verify-code', html: show({ ...member, ...none, state: 'code', isUndeliverable: true }) },
    {
      name: 'verify-code-refused',
      html: show({
        ...member,
        ...none,
        state: 'code',
        form: { values: {}, errors: [], message: errorTexts(t, 'invalid_code').detail },
      }),
    },
    { name: 'verify-proven', html: show({ ...member, ...none, state: 'proven' }) },
    { name: 'verify-none', html: show({ ...member, ...none, address: undefined, state: 'none' }) },
    { name: 'verify-dead', html: show({ ...anybody, ...none, address: undefined, state: 'dead' }) },
  ]
}
