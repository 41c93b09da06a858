// The to-dos, in a table beside the members; every statement names the user, so nobody reaches those of others.
import { DatabaseSync } from 'node:sqlite'

export function openTodos(file: string) {
  const db = new DatabaseSync(file, { timeout: 50 })
  db.exec(`CREATE TABLE IF NOT EXISTS todos (id INTEGER PRIMARY KEY, user_id TEXT NOT NULL, text TEXT NOT NULL, done INTEGER NOT NULL DEFAULT 0);
           CREATE INDEX IF NOT EXISTS todos_of_user ON todos (user_id)`)
  const list = db.prepare('SELECT id, text, done FROM todos WHERE user_id = ? ORDER BY id')
  const add = db.prepare('INSERT INTO todos (user_id, text) VALUES (?, ?)')
  const toggle = db.prepare('UPDATE todos SET done = 1 - done WHERE id = ? AND user_id = ?')
  const remove = db.prepare('DELETE FROM todos WHERE id = ? AND user_id = ?')
  return {
    of: (userId: string) =>
      list.all(userId).map(({ id, text, done }) => ({ id: Number(id), text: String(text), done: done === 1 })),
    add: (userId: string, text: string) => void add.run(userId, text),
    /** Both say whether there was one. */
    toggle: (userId: string, id: number) => toggle.run(id, userId).changes > 0,
    remove: (userId: string, id: number) => remove.run(id, userId).changes > 0,
  }
}
