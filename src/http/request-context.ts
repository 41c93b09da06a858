// A request to one of our paths and its response, with all that actions and pages need.
import type { Request, Response } from 'express'
import type { Core } from '../core/core.ts'
import type { Translate } from '../i18n/translate.ts'
import { RequestCaller } from './caller.ts'
import type { Endpoint, HttpContext, PageContext } from './http-context.ts'
import { localeFor } from './locale-for.ts'
import { isRead } from './origin-check.ts'
import type { Paths } from './paths.ts'
import { queryOf } from './read-input.ts'
import { localPath } from './return-to.ts'

export class RequestContext implements PageContext {
  readonly http: HttpContext
  readonly req: Request
  readonly res: Response
  readonly endpoint: Endpoint
  /** The path parameters. */
  readonly params: Readonly<Record<string, string>>
  /** The values of the form, without secrets, in case it is rendered again. */
  formValues: Readonly<Record<string, string>> = {}
  #caller: RequestCaller | undefined
  #query: URLSearchParams | undefined
  #t: Translate<string> | undefined

  constructor(http: HttpContext, req: Request, res: Response, endpoint: Endpoint, params: Readonly<Record<string, string>> = {}) {
    this.http = http
    this.req = req
    this.res = res
    this.endpoint = endpoint
    this.params = params
  }

  get core(): Core {
    return this.http.core
  }

  get url(): Paths['url'] {
    return this.http.url
  }

  get caller(): RequestCaller {
    this.#caller ??= new RequestCaller(this.http, this.req)
    return this.#caller
  }

  get t(): Translate<string> {
    this.#t ??= translatorFor(this.http, this.req)
    return this.#t
  }

  get returnTo(): string | undefined {
    return localPath(isRead(this.req) ? this.query('returnTo') : this.formValues.returnTo)
  }

  get flow(): string | undefined {
    return isRead(this.req) ? this.query('flow') : this.formValues.flow
  }

  query(name: string): string | undefined {
    this.#query ??= new URLSearchParams(queryOf(this.req))
    return this.#query.get(name) ?? undefined
  }
}

/** The texts in the visitor's language. */
export function translatorFor(http: HttpContext, req: Request): Translate<string> {
  return http.translator(localeFor(http, req))
}
