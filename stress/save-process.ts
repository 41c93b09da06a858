// A small server whose every request saves a session, in eight keys at once: to be killed while it does.
import { createServer } from 'node:http'
import { session } from '../src/session/index.ts'
import { SqliteStore } from '../src/session/stores/sqlite.ts'

/** One save of number `n`: eight keys, each with that number and enough beside it to fill pages of the file. */
export const KEYS = Array.from({ length: 8 }, (_, at) => `key${at}`)
export const FILLER = 'x'.repeat(4000)

if (import.meta.main) {
  const sessions = session({ store: new SqliteStore({ path: process.argv[2] ? JSON.parse(process.argv[2]).path : ':memory:' }) })
  const server = createServer((req, res) => {
    sessions(req, res, (error) => {
      if (error !== undefined) return res.writeHead(500).end()
      const n = Number(req.url?.slice(1))
      for (const key of KEYS) Object.assign(Reflect.get(req, 'session'), { [key]: { n, filler: FILLER } })
      return res.end()
    })
  })
  server.keepAliveTimeout = 0
  server.listen(0, '127.0.0.1', () => {
    const address = server.address()
    if (typeof address === 'object') process.send?.({ base: `http://127.0.0.1:${address?.port}` })
  })
}
