// What there is to say about a setting: a text of the catalogue, told in the operator's language where it is shown.
import type { Texts } from '../i18n/translate.ts'

export interface Diagnostic {
  readonly key: SettingText
  /** Names and limits; never what was set, which may be secret. Numbers are texts: `t` would put marks between their thousands. */
  readonly values: Readonly<Record<string, string>>
}

export type SettingText = Extract<Texts, `setting.${string}`>

export type Note = (key: SettingText, values?: Diagnostic['values']) => void

/** Puts each remark at the end of a list. */
export function noteIn(list: Diagnostic[]): Note {
  return (key, values = {}) => list.push({ key, values })
}
