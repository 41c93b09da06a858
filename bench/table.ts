// Tables in Markdown, and the places in the docs that they go to.
import { existsSync, readFileSync, writeFileSync } from 'node:fs'

export type Cells = readonly (string | number)[]

export function table(head: readonly string[], rows: readonly Cells[]): string {
  const line = (cells: Cells) => `| ${cells.join(' | ')} |`
  return [line(head), `|${head.map(() => '---|').join('')}`, ...rows.map(line)].join('\n')
}

export function verdict(reached: boolean): string {
  return reached ? '✓' : 'missed'
}

export function percent(share: number): string {
  return `${(share * 100).toFixed(share < 0.1 ? 1 : 0)} %`
}

/** Puts a text between `<!-- NAME -->` and `<!-- /NAME -->` of a file, and touches nothing else. */
export function fillBlock(file: string, name: string, text: string): void {
  if (!existsSync(file)) return
  const whole = readFileSync(file, 'utf8')
  const [open, close] = [`<!-- ${name} -->`, `<!-- /${name} -->`]
  const from = whole.indexOf(open)
  const to = whole.indexOf(close)
  if (from === -1 || to < from) return
  writeFileSync(file, `${whole.slice(0, from + open.length)}\n${text}\n${whole.slice(to)}`)
}
