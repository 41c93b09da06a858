// Probes whether a session is still stored, over a connection outside the programs of the race.
import { DatabaseSync } from 'node:sqlite'
import pg from 'pg'
import { openRedis } from '../test/support/redis-server.ts'
import { fileOf, type StorageTarget } from './storage-targets.ts'

export interface Watch {
  has(hash: string): Promise<boolean>
  close(): Promise<void>
}

/** `table` has the sessions if they are not in Redis. */
export async function watch(target: StorageTarget, table: 'guildhall_sessions' | 'express_sessions'): Promise<Watch> {
  if (target.redis) {
    const { url, prefix } = target.redis
    const client = await openRedis(url)
    return { has: async (hash) => (await client.exists(`${prefix}session:${hash}`)) === 1, close: () => client.close() }
  }
  if (target.database.startsWith('sqlite:')) {
    const database = new DatabaseSync(fileOf(target))
    const find = database.prepare(`SELECT 1 FROM ${table} WHERE hash = ?`)
    return { has: async (hash) => find.get(hash) !== undefined, close: async () => database.close() }
  }
  const client = new pg.Pool({ connectionString: target.database, max: 2 })
  const has = async (hash: string) => (await client.query(`SELECT 1 FROM ${table} WHERE hash = $1`, [hash])).rowCount === 1
  return { has, close: () => client.end() }
}
