// What SQLite means by the code of an error. https://www.sqlite.org/rescode.html

const BUSY = 5
const CORRUPT = 11
const NOT_A_DATABASE = 26
const UNIQUE_VIOLATIONS = [2067, 1555] // SQLITE_CONSTRAINT_UNIQUE, SQLITE_CONSTRAINT_PRIMARYKEY
/** Our statement is wrong: ERROR ("no such table"), CONSTRAINT, MISMATCH, MISUSE, RANGE. All other codes concern the file. */
const BUGS = [1, 19, 20, 21, 25]

export function isBusy(error: unknown): boolean {
  return primaryCode(error) === BUSY
}

/** A row with this key, or this value of a unique column, already exists. */
export function isUniqueViolation(error: unknown): boolean {
  return UNIQUE_VIOLATIONS.includes(codeOf(error) ?? 0)
}

/** The file is damaged, or no database at all. */
export function isNoDatabase(error: unknown): boolean {
  return [CORRUPT, NOT_A_DATABASE].includes(primaryCode(error) ?? 0)
}

/** The file cannot be worked on now: locked, full, unreadable. */
export function isFileFailure(error: unknown): boolean {
  const code = primaryCode(error)
  return code !== undefined && !BUGS.includes(code)
}

/** Without the extended code in the higher bits. */
function primaryCode(error: unknown): number | undefined {
  const code = codeOf(error)
  return code === undefined ? undefined : code & 0xff
}

function codeOf(error: unknown): number | undefined {
  return error instanceof Error && 'errcode' in error && typeof error.errcode === 'number' ? error.errcode : undefined
}
