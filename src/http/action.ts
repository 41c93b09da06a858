// Makes the endpoints of an action from its declaration: a page and JSON, with the same checks.
import type { z } from 'zod'
import type { Action, ActionDeclaration, ActionEndpoint, Guard } from './action-types.ts'
import { keptFields } from './check-input.ts'
import type { Page } from './page.ts'
import { performAction, showPage } from './pipeline.ts'

export type { Action }

export function action<Schema extends z.ZodType, Result, Body extends z.ZodType = z.ZodUndefined>(
  declared: ActionDeclaration<Schema, Result, Body>,
): Action {
  const { at, guard, page, api } = declared
  const method: ActionEndpoint['method'] = declared.method === 'get' ? 'GET' : 'POST'
  return {
    at,
    endpoints(settings, ownPage) {
      const input = typeof declared.input === 'function' ? declared.input(settings) : declared.input
      const limit = typeof declared.limit === 'function' ? declared.limit(settings) : (declared.limit ?? [])
      const bound = { ...declared, method, input, limit, kept: keptFields(input), ownPage }
      const served: ActionEndpoint[] = []
      if (page && ownPage === undefined) served.push(pageEndpoint(guard, page))
      if (page !== false) served.push({ method, endpoint: 'page', serve: (context) => performAction(bound, context) })
      if (api) {
        const described = { ...api, guard, input, isLimited: limit.length > 0 }
        served.push({ method, endpoint: 'api', described, serve: (context) => performAction(bound, context) })
      }
      return served
    },
  }
}

/** A page without an act. */
export function pageOnly({ at, guard, page }: { readonly at: string; readonly guard: Guard; readonly page: Page }): Action {
  return { at, endpoints: (_settings, ownPage) => (ownPage === undefined ? [pageEndpoint(guard, page)] : []) }
}

function pageEndpoint(guard: Guard, page: Page): ActionEndpoint {
  return { method: 'GET', endpoint: 'page', serve: (context) => showPage(guard, page, context) }
}
