// What doctor found: how bad it is, and what to do about it.

export interface Finding {
  readonly mark: 'ok' | 'warning' | 'fault'
  readonly text: string
}

export const fine = (text: string): Finding => ({ mark: 'ok', text })
export const odd = (text: string): Finding => ({ mark: 'warning', text })
export const bad = (text: string): Finding => ({ mark: 'fault', text })
