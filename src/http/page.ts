// The page of an action: its template, its data, and its form after a refusal.
import type { Awaitable } from '../domain/awaitable.ts'
import type { MembershipError } from '../domain/errors.ts'
import { noticeText } from '../i18n/messages.ts'
import type { FormState } from '../views/pages.ts'
import type { FeatureTemplate } from '../views/render.ts'
import { fieldMessages, refusalTexts, statusOf } from './errors.ts'
import type { PageContext } from './http-context.ts'
import { commonData } from './page-data.ts'
import type { RequestContext } from './request-context.ts'
import { sendPage, setRefusalHeaders } from './respond.ts'

export interface Page {
  show(context: RequestContext): Promise<void>
  showRefused(context: RequestContext, error: MembershipError): Promise<void>
}

/** `page('login/login', ({ core }) => ({ ... }))`. `wrongCredentials`: the text for `invalid_credentials`, if not that of a login. */
export function page(
  template: FeatureTemplate,
  load: (context: PageContext) => Awaitable<object>,
  { wrongCredentials }: { readonly wrongCredentials?: string } = {},
): Page {
  const render = async (context: RequestContext, form?: FormState) => {
    const { http, t, returnTo } = context
    const notice = noticeText(t, context.query('notice'))
    const data = { ...commonData(context, { form }), returnTo, notice, ...(await load(context)) }
    return http.views.featurePage(template, data)
  }
  return {
    async show(context) {
      sendPage(context.res, 200, await render(context))
    },
    async showRefused(context, error) {
      const { http, res, t } = context
      setRefusalHeaders(res, error)
      const key = error.code === 'invalid_credentials' ? wrongCredentials : undefined
      const detail = key === undefined ? refusalTexts(http, t, error, 'page').detail : t(key)
      sendPage(res, statusOf(error.code), await render(context, formState(context, error, detail)))
    },
  }
}

function formState({ t, formValues }: RequestContext, error: MembershipError, detail: string): FormState {
  const errors = fieldMessages(t, error.errors)
  if (error.code === 'username_taken') return { values: formValues, errors: [{ field: 'username', message: detail }] }
  return { values: formValues, errors, ...(errors.length === 0 && { message: detail }) }
}
