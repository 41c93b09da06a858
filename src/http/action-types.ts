// What an action declares: once, for the page and for the JSON endpoint.
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

/** `guest`: somebody who is logged in is sent on from the page; the act is open to all. */
export type Guard = 'anybody' | 'guest' | 'member'

export interface Declared<Schema extends z.ZodType, Result, Body extends z.ZodType> {
  /** A path of the feature by its name, with what follows it: `'sessions/:id/end'`. */
  readonly at: string
  /** Default: `post`. A `get` changes nothing and takes its input from the query. */
  readonly method?: 'get' | 'post'
  readonly guard: Guard
  /** Parts of the path count as input. A function where it depends on the settings. */
  readonly input: Schema | ((settings: Settings) => Schema)
  /** Places are taken before any work, in this order. A function where it depends on the settings. */
  readonly limit?: readonly RouteLimit<z.output<Schema>>[] | ((settings: Settings) => readonly RouteLimit<z.output<Schema>>[])
  /** The page that holds the form: served to GET, and again with what was wrong. `false`: JSON alone. Default: a form on another page. */
  readonly page?: Page | false
  /** What the JSON endpoint answers. `false`: the page alone. */
  readonly api: Api<Body> | false
  run(core: Core, input: z.output<Schema>, caller: Caller): Awaitable<Result>
  /** Hears of tries that were rejected before they were judged: `too_many_requests`, `overloaded`. */
  onRejected?(core: Core, code: ErrorCode, caller: Caller): void
  /** What a success answers; of several outcomes a `switch`, which the compiler completes. */
  readonly answer: (result: Result, context: RequestContext, input: z.output<Schema>) => Answer<z.output<Body>>
}

/** The description of the API is made from it, for developers and in English. */
export interface Api<Body extends z.ZodType = z.ZodType> {
  /** What generated clients call it: `endSession`. */
  readonly name: string
  /** In a few words, as in a list. */
  readonly summary: string
  /** What it does to whom, and what follows. */
  readonly description: string
  /** Of a success. Default: 200 with a body, 204 without. */
  readonly status?: 200 | 201 | 202
  /** Without it there is nothing to say. */
  readonly body?: Body
  /** Refusals of its own, besides those that guard, limits and input bring along. */
  readonly refuses?: readonly ErrorCode[]
}

export type Answer<Body> = Onward & (undefined extends Body ? { readonly body?: undefined } : { readonly body: Body })

export interface Onward {
  /** The full local path of the next page. Default: home. */
  readonly to?: string | undefined
  /** What the next page says at its top: the key of a text `notice.<notice>`. */
  readonly notice?: string
}

/** An action, its types forgotten. */
export interface Action {
  readonly at: string
  /** Where it can be reached, with these settings. `ownPage`: the application's page in the place of ours. */
  endpoints(settings: Settings, ownPage: string | undefined): readonly ActionEndpoint[]
}

export interface ActionEndpoint {
  readonly method: 'GET' | 'POST'
  readonly endpoint: Endpoint
  /** What the description of the API says of it. */
  readonly described?: Described | undefined
  serve(context: RequestContext): Promise<void>
}

export interface Described extends Api {
  readonly guard: Guard
  readonly input: z.ZodType
  readonly isLimited: boolean
}
