// The page of an action: which view, what it shows, and how it comes back with a form that was refused.

import type { Awaitable } from '../domain/awaitable.ts'
import type { MembershipError } from '../domain/errors.ts'
import { noticeText } from '../i18n/messages.ts'
import type { Texts } from '../i18n/translate.ts'
import type { FormState, Pages, ViewName } from '../views/pages.ts'
import { fieldMessages, refusalTexts, statusOf } from './errors.ts'
import type { RequestContext } from './request-context.ts'
import { commonData, sendPage, setRefusalHeaders } from './respond.ts'

export interface Page {
  /** Whether a person who is logged in already is sent on. */
  readonly guestsOnly: boolean
  show(exchange: RequestContext): Promise<void>
  showRefused(exchange: RequestContext, error: MembershipError): Promise<void>
}

export interface PageOptions {
  readonly current?: 'profile' | 'security'
  readonly guestsOnly?: boolean
  /** What the form says of refused credentials. Default: the text that fits a login. */
  readonly wrongCredentials?: Texts
}

/** Declares the page of an action: `page('login', ({ core }) => ({ ... }))`. */
export function page<Name extends ViewName>(
  view: Name,
  load: (exchange: RequestContext) => Awaitable<Pages[Name]>,
  { current, guestsOnly = false, wrongCredentials }: PageOptions = {},
): Page {
  const render = async (exchange: RequestContext, form?: FormState) => {
    const notice = noticeText(exchange.t, exchange.query('notice'))
    const data = await load(exchange)
    return exchange.http.views.page(view, { ...commonData(exchange, form), current, notice, ...data })
  }
  return {
    guestsOnly,
    async show(exchange) {
      sendPage(exchange.res, 200, await render(exchange))
    },
    async showRefused(exchange, error) {
      const { http, res, t } = exchange
      setRefusalHeaders(res, error)
      const own = error.code === 'invalid_credentials' ? wrongCredentials : undefined
      const detail = own === undefined ? refusalTexts(http, t, error).detail : t(own)
      sendPage(res, statusOf(error.code), await render(exchange, formState(exchange, error, detail)))
    },
  }
}

function formState({ t, formValues }: RequestContext, error: MembershipError, detail: string): FormState {
  const errors = fieldMessages(t, error.errors)
  if (error.code === 'username_taken') return { values: formValues, errors: [{ field: 'username', message: detail }] }
  return { values: formValues, errors, ...(errors.length === 0 && { message: detail }) }
}
