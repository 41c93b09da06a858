// Reads the members of an interface with their doc comments, from a source file.

export interface Member {
  readonly name: string
  readonly isOptional: boolean
  readonly type: string
  /** The doc comment as one text; empty if there is none. */
  readonly comment: string
  /** Of a member that is an object written in place. */
  readonly members: readonly Member[]
}

const MEMBER = /^(?:readonly )?(\w+)(\?)?: (.+)$/

/** Throws if the interface is not there, or if a line of it cannot be read: nothing is left out silently. */
export function membersOf(source: string, name: string): readonly Member[] {
  const start = source.indexOf(`export interface ${name} {\n`)
  if (start < 0) throw new Error(`there is no interface ${name}`)
  const lines = source
    .slice(start)
    .split('\n')
    .slice(1)
    .map((line) => line.trim())
  return readMembers(lines)
}

/** Takes lines until the brace that closes the object. */
function readMembers(lines: string[]): readonly Member[] {
  const members: Member[] = []
  let comment = ''
  for (let line = lines.shift(); line !== undefined && line !== '}'; line = lines.shift()) {
    if (line === '') continue
    if (line.startsWith('/**')) {
      comment = readComment(line, lines)
      continue
    }
    const [, name = '', optional, type = ''] = MEMBER.exec(line) ?? []
    if (name === '') throw new Error(`this is no member of an interface: ${line}`)
    const isOpen = type === '{'
    members.push({ name, isOptional: optional !== undefined, type, comment, members: isOpen ? readMembers(lines) : [] })
    comment = ''
  }
  return members
}

function readComment(first: string, lines: string[]): string {
  const parts = [first]
  while (!parts.at(-1)?.endsWith('*/')) parts.push(lines.shift() ?? '*/')
  return parts
    .map((part) =>
      part
        .replace(/^\/\*\*|\*\/$|^\*/g, '')
        .replace(/\*\/$/, '')
        .trim(),
    )
    .filter((part) => part !== '')
    .join(' ')
}
