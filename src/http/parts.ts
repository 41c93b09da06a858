// Renders what features put on pages of others.
import type { PageContext, Part } from './http-context.ts'
import { partData } from './respond.ts'

/** The HTML of each, in the order of the features; a part that has nothing to show is left out. */
export async function renderParts(context: PageContext, parts: readonly Part[]): Promise<readonly string[]> {
  const { views } = context.http
  const loaded = await Promise.all(parts.map(async ({ template, load }) => ({ template, data: await load(context) })))
  const common = { ...partData(context), returnTo: context.returnTo }
  return loaded.flatMap(({ template, data }) => (data ? [views.part(template, { ...common, ...data })] : []))
}
