// The little of Markdown that the generated pages need.

export function table(heads: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.map(cell).join(' | ')} |`
  return [line(heads), `|${heads.map(() => '---').join('|')}|`, ...rows.map(line)].join('\n')
}

/** In a table a bar ends the cell, even between backticks. */
export function cell(text: string): string {
  return text.replaceAll(/(?<!\\)\|/g, '\\|')
}
