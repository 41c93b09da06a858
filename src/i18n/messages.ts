// The texts that belong to codes: refusals, field errors, notices, audit events.
import type { ErrorCode, FieldError } from '../domain/errors.ts'
import type { Translate } from './translate.ts'

/** Title and detail of a refusal, for a page and for `application/problem+json`. */
export function errorTexts(t: Translate, code: ErrorCode): { title: string; detail: string } {
  return { title: t(`error.${code}.title`), detail: t(`error.${code}.detail`) }
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

/** One line of the recent activity: an event and an outcome of the audit trail, told to the person it is about. */
export function activityText(t: Translate<string>, entry: { event: string; outcome: string; device: string }): string {
  const key = entry.outcome === 'success' ? `activity.${entry.event}` : `activity.${entry.event}.${entry.outcome}`
  return t(t.has(key) ? key : 'activity.other', { device: entry.device })
}
