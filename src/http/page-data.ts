// The data of every page, and the parts of features on it.
import { toJson, toUser } from '../domain/user.ts'
import type { MenuItem, PageData } from '../views/pages.ts'
import type { PageContext, Part } from './http-context.ts'
import { isRead } from './origin-check.ts'
import { localPath, localReferer } from './return-to.ts'

/** The data of every page. Default of `path`: that of this page. */
export function commonData(context: PageContext, { form, path }: Pick<PageData, 'form' | 'path'> = {}): PageData {
  const data = { ...partData(context), path: path ?? pathOfPage(context, form !== undefined), form }
  return { ...data, menu: menuFor(context), header: headerFor(context, data) }
}

/** The data of every part of a page. */
function partData({ caller, t }: PageContext) {
  const user = caller.session?.user
  return { t, lang: t.locale, user: user && toJson(toUser(user)) }
}

function menuFor({ http, req, caller, t }: PageContext): readonly MenuItem[] {
  const who = caller.session?.user ? 'member' : 'guest'
  return http.parts.menu
    .filter((entry) => entry.who === who && entry.when?.(http.core.settings) !== false)
    .map(({ href, text, isButton }) => ({ href, text: t(text), isCurrent: req.path === href, isButton }))
}

function headerFor(context: PageContext, common: object): readonly string[] {
  const { parts, views } = context.http
  return parts.header.flatMap(({ template, load }) => {
    const data = load(context)
    return data ? [views.part(template, { ...common, ...data })] : []
  })
}

/** The HTML of each part, in the order of the features; a part without data is left out. */
export async function renderParts(context: PageContext, parts: readonly Part[]): Promise<readonly string[]> {
  const { views } = context.http
  const loaded = await Promise.all(parts.map(async ({ template, load }) => ({ template, data: await load(context) })))
  const common = { ...partData(context), returnTo: context.returnTo }
  return loaded.flatMap(({ template, data }) => (data ? [views.part(template, { ...common, ...data })] : []))
}

/**
 * Where a change of the language on this page leads back to. The path of a write cannot be opened by GET, except that of a form that is
 * rendered again.
 */
export function pathOfPage({ http, req, returnTo, flow }: PageContext, isRerendered: boolean): string | undefined {
  if (isRead(req)) return withoutNotice(localPath(req.originalUrl))
  if (!isRerendered) return withoutNotice(returnTo ?? localReferer(req.headers.referer, http.origin)) ?? http.home
  const path = localPath(req.originalUrl.split('?')[0])
  if (flow !== undefined) return `${path}?flow=${encodeURIComponent(flow)}`
  return returnTo === undefined ? path : `${path}?returnTo=${encodeURIComponent(returnTo)}`
}

/** A notice is shown once. */
function withoutNotice(path: string | undefined): string | undefined {
  return path?.replace(/([?&])notice=[^&#]*&?/, '$1').replace(/[?&](?=#|$)/, '')
}
