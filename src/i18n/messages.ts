// The texts that belong to codes: refusals, field errors, and the notices that travel as ?notice=.
import type { ErrorCode, FieldError } from '../domain/errors.ts'
import { isText, type Translate } from './translate.ts'

/** What may stand in `?notice=`. A closed list: an address cannot put words into our mouth. */
export const NOTICES = [
  'registered',
  'logged_in',
  'logged_out',
  'login_first',
  'profile_saved',
  'session_ended',
  'other_sessions_ended',
  'confirmed',
] as const

export type Notice = (typeof NOTICES)[number]

/** Title and detail of a refusal, for a page and for `application/problem+json`. */
export function errorTexts(t: Translate, code: ErrorCode): { title: string; detail: string } {
  return { title: t(`error.${code}.title`), detail: t(`error.${code}.detail`) }
}

/** The sentence that stands at the field. */
export function fieldText(t: Translate, error: FieldError): string {
  return t(`field.${error.code}`, error.values)
}

/** The notice of an address, or undefined where `?notice=` names none of ours. */
export function noticeText(t: Translate, code: unknown): string | undefined {
  const notice = NOTICES.find((known) => known === code)
  return notice && t(`notice.${notice}`)
}

/** One line of the recent activity: an event and an outcome of the audit trail, told to the person it is about. */
export function activityText(t: Translate, entry: { event: string; outcome: string; device: string }): string {
  const event = `activity.${entry.event}`
  const key = entry.outcome === 'success' ? event : `${event}.${entry.outcome}`
  return t(isText(key) ? key : 'activity.other', { device: entry.device })
}
