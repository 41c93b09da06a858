// A finding of doctor: its level, and what to do about it.
import type { Config } from '../../server/config.ts'
import { explainFailure } from '../../server/explain-failure.ts'

export interface Finding {
  readonly mark: 'ok' | 'warning' | 'error'
  readonly text: string
}

export const ok = (text: string): Finding => ({ mark: 'ok', text })
export const warning = (text: string): Finding => ({ mark: 'warning', text })
export const error = (text: string): Finding => ({ mark: 'error', text })

export function failed(cause: unknown, config: Config): Finding {
  return error(explainFailure(cause, config) ?? String(cause))
}
