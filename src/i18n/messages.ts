// The texts that belong to codes: refusals, field errors, notices, audit events.
import type { ErrorCode, FieldError } from '../domain/errors.ts'
import type { Texts, Translate } from './translate.ts'

/** Title and detail of a refusal: for a page, or for `application/problem+json`, which knows no page and no form. */
export function errorTexts(t: Translate, code: ErrorCode, endpoint: 'page' | 'api' = 'page'): { title: string; detail: string } {
  const forPrograms = `error.${code}.detail_api`
  const detail = endpoint === 'api' && hasText(t, forPrograms) ? t(forPrograms) : t(`error.${code}.detail`)
  return { title: t(`error.${code}.title`), detail }
}

function hasText(t: Translate, key: string): key is Texts {
  return t.has(key)
}

/** The sentence that stands at the field. */
export function fieldText(t: Translate, error: FieldError): string {
  return t(`field.${error.code}`, error.values)
}

/** The notice of an address, or undefined if `?notice=` names none of ours: an address cannot put words into our mouth. */
export function noticeText(t: Translate<string>, code: unknown): string | undefined {
  const key = `notice.${String(code)}`
  return typeof code === 'string' && t.has(key) ? t(key) : undefined
}

/** What an entry of the audit trail is to the person it is about. `on`: the device that it was done to, where the text can name one. */
export function activityText(t: Translate<string>, entry: { event: string; outcome: string; on?: string | undefined }): string {
  const { event, outcome, on } = entry
  const key = outcome === 'success' ? `activity.${event}` : `activity.${event}.${outcome}`
  if (on !== undefined && t.has(`${key}.on`)) return t(`${key}.on`, { device: on })
  return t(t.has(key) ? key : 'activity.other')
}
