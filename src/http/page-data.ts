// What every page gets, and what features put on pages of others.
import { toJson, toUser } from '../domain/user.ts'
import type { FormState, MenuItem, PageData } from '../views/pages.ts'
import type { PageContext, Part } from './http-context.ts'
import { pathOfPage } from './language.ts'

interface Shown {
  readonly form?: FormState | undefined
  /** Default: the path of this page. */
  readonly path?: string | undefined
}

/** What every page gets. */
export function commonData(context: PageContext, shown: Shown = {}): PageData {
  const data = { ...partData(context), path: shown.path ?? pathOfPage(context, shown.form !== undefined), form: shown.form }
  return { ...data, menu: menuFor(context), header: headerFor(context, data) }
}

/** What every part of a page gets. */
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

/** The HTML of each, in the order of the features; a part that has nothing to show is left out. */
export async function renderParts(context: PageContext, parts: readonly Part[]): Promise<readonly string[]> {
  const { views } = context.http
  const loaded = await Promise.all(parts.map(async ({ template, load }) => ({ template, data: await load(context) })))
  const common = { ...partData(context), returnTo: context.returnTo }
  return loaded.flatMap(({ template, data }) => (data ? [views.part(template, { ...common, ...data })] : []))
}
