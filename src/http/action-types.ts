// The declaration of an action: one for its page and its JSON endpoint.
import type { z } from 'zod'
import type { Caller } from '../core/caller.ts'
import type { Core } from '../core/core.ts'
import type { Awaitable } from '../domain/awaitable.ts'
import type { ErrorCode } from '../domain/errors.ts'
import type { Settings } from '../settings/options.ts'
import type { Endpoint } from './http-context.ts'
import type { RouteLimit } from './limits.ts'
import type { Page } from './page.ts'
import type { RequestContext } from './request-context.ts'

/** `guest`: the page redirects users who are logged in; the act is open to all. */
export type Guard = 'anybody' | 'guest' | 'member'

export interface ActionDeclaration<Schema extends z.ZodType, Result, Body extends z.ZodType> {
  /** The name of one of the feature's paths, and what follows it: `'sessions/:id/end'`. */
  readonly at: string
  /** Default: `post`. A `get` changes nothing and takes its input from the query. */
  readonly method?: 'get' | 'post'
  readonly guard: Guard
  /** Path parameters are part of the input. A function if it depends on the settings. */
  readonly input: Schema | ((settings: Settings) => Schema)
  /** Slots are taken before any work, in this order. A function if it depends on the settings. */
  readonly limit?: readonly RouteLimit<z.output<Schema>>[] | ((settings: Settings) => readonly RouteLimit<z.output<Schema>>[])
  /** The page with the form: served to GET, and rendered again with errors. `false`: JSON only. Default: the form is on another page. */
  readonly page?: Page | false
  /** The JSON endpoint. `false`: the page only. */
  readonly api: Api<Body> | false
  run(core: Core, input: z.output<Schema>, caller: Caller): Awaitable<Result>
  /** Called for tries that were rejected without a result: `too_many_requests`, `overloaded`. */
  onRejected?(core: Core, code: ErrorCode, caller: Caller): void
  /** The answer to a success; for several outcomes a `switch`, whose completeness the compiler checks. */
  readonly answer: (result: Result, context: RequestContext, input: z.output<Schema>) => Answer<z.output<Body>>
}

/** The source of the OpenAPI description, in English. */
export interface Api<Body extends z.ZodType = z.ZodType> {
  /** The name in generated clients: `endSession`. */
  readonly name: string
  /** A few words, as in a list. */
  readonly summary: string
  /** What it does, and the consequences. */
  readonly description: string
  /** The status of a success. Default: 200 with a body, 204 without. */
  readonly status?: 200 | 201 | 202
  /** Default: no body. */
  readonly body?: Body
  /** Refusals of its own, besides those of guard, limits and input. */
  readonly refuses?: readonly ErrorCode[]
}

export type Answer<Body> = Redirect & (undefined extends Body ? { readonly body?: undefined } : { readonly body: Body })

export interface Redirect {
  /** The full local path of the next page. Default: home. */
  readonly to?: string | undefined
  /** The notice at the top of the next page: the key of a text `notice.<notice>`. */
  readonly notice?: string
}

/** An action without its type parameters. */
export interface Action {
  readonly at: string
  /** Its endpoints with these settings. `ownPage`: the path of the application's page that replaces ours. */
  endpoints(settings: Settings, ownPage: string | undefined): readonly ActionEndpoint[]
}

export interface ActionEndpoint {
  readonly method: 'GET' | 'POST'
  readonly endpoint: Endpoint
  /** Its description in OpenAPI. */
  readonly described?: DescribedAction | undefined
  serve(context: RequestContext): Promise<void>
}

export interface DescribedAction extends Api {
  readonly guard: Guard
  readonly input: z.ZodType
  readonly isLimited: boolean
}
