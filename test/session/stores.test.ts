// The contract of session stores, for the stores that come with the package.

import { MemoryStore } from 'guildhall/session'
import { SqliteStore } from 'guildhall/session/sqlite'
import { sessionStoreSuite } from 'guildhall/testing'
import { describe, it } from 'vitest'

sessionStoreSuite('MemoryStore', () => new MemoryStore(), { describe, it })
sessionStoreSuite('SqliteStore', () => new SqliteStore({ path: ':memory:' }), { describe, it })
