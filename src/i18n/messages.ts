// The texts for codes: refusals, field errors, notices, audit events.
import type { ErrorCode, FieldError } from '../domain/errors.ts'
import type { TextKey, Translate } from './translate.ts'

/** Title and detail of a refusal: for a page, or for `application/problem+json`, which must not mention a page or a form. */
export function errorTexts(t: Translate, code: ErrorCode, endpoint: 'page' | 'api' = 'page'): { title: string; detail: string } {
  const forPrograms = `error.${code}.detail_api`
  const detail = endpoint === 'api' && hasText(t, forPrograms) ? t(forPrograms) : t(`error.${code}.detail`)
  return { title: t(`error.${code}.title`), detail }
}

function hasText(t: Translate, key: string): key is TextKey {
  return t.has(key)
}

/** The sentence beside a field. */
export function fieldText(t: Translate, error: FieldError): string {
  return t(`field.${error.code}`, error.values)
}

/** The text of `?notice=`, or undefined if its code is unknown: a link must not put its own words on our page. */
export function noticeText(t: Translate<string>, code: unknown): string | undefined {
  const key = `notice.${String(code)}`
  return typeof code === 'string' && t.has(key) ? t(key) : undefined
}

/** The text of an audit entry for its user. `on`: the device concerned, if the text has a place for one. */
export function activityText(t: Translate<string>, entry: { event: string; outcome: string; on?: string | undefined }): string {
  const { event, outcome, on } = entry
  const key = outcome === 'success' ? `activity.${event}` : `activity.${event}.${outcome}`
  if (on !== undefined && t.has(`${key}.on`)) return t(`${key}.on`, { device: on })
  return t(t.has(key) ? key : 'activity.other')
}
