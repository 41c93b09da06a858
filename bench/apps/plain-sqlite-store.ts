// A store of express-session in SQLite as such stores are written: whole sessions as JSON, and a write at each request through `touch`.
import { DatabaseSync } from 'node:sqlite'
import { importPeer } from '../peers.ts'
import { HOUR_MS } from './app.ts'

type Done = (error: unknown, session?: unknown) => void

export async function newSqliteStore(file: string): Promise<object> {
  const { default: expressSession } = await importPeer<{ default: { Store: new () => object } }>('express-session')
  const database = new DatabaseSync(file)
  database.exec(`
    PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;
    CREATE TABLE sessions (sid TEXT PRIMARY KEY, data TEXT NOT NULL, expires INTEGER NOT NULL) WITHOUT ROWID`)
  const find = database.prepare('SELECT data FROM sessions WHERE sid = ? AND expires > ?')
  const put = database.prepare('INSERT OR REPLACE INTO sessions (sid, data, expires) VALUES (?, ?, ?)')
  const prolong = database.prepare('UPDATE sessions SET expires = ? WHERE sid = ?')
  const remove = database.prepare('DELETE FROM sessions WHERE sid = ?')

  class SqliteStore extends expressSession.Store {
    get(sid: string, done: Done): void {
      const data = find.get(sid, Date.now())?.data
      done(null, typeof data === 'string' ? JSON.parse(data) : null)
    }
    set(sid: string, session: object, done: Done): void {
      put.run(sid, JSON.stringify(session), Date.now() + HOUR_MS)
      done(null)
    }
    touch(sid: string, _session: object, done: Done): void {
      prolong.run(Date.now() + HOUR_MS, sid)
      done(null)
    }
    destroy(sid: string, done: Done): void {
      remove.run(sid)
      done(null)
    }
  }
  return new SqliteStore()
}
