// node:sqlite, looked up at run time.
// A static import of it fails on an older Node before anything can say which Node is needed.
import type sqlite from 'node:sqlite'

export const { DatabaseSync, backup, constants }: typeof sqlite = process.getBuiltinModule('node:sqlite')
export type DatabaseSync = sqlite.DatabaseSync
