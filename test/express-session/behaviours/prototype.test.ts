// Methods that an application adds to `Session.prototype`, each in a process of its own: the first request locks it.
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'

const run = promisify(execFile)
const PACKAGES = ['express-session', 'guildhall/session']

/** Serves three visits, and prints what a method of the application's own says, and the keys that a session has in a loop. */
const PROGRAM = `
  const { createServer } = require('node:http')
  const session = require(process.argv[1])
  const middleware = session({ secret: 'keyboard cat', resave: false, saveUninitialized: false, cookie: {} })
  session.Session.prototype.greeting = function () { return 'Hello ' + (this.user ?? 'stranger') }
  const server = createServer((req, res) => middleware(req, res, () => {
    const before = req.session.greeting()
    req.session.user = 'alice'
    const keys = []
    for (const key in req.session) keys.push(key)
    res.end(JSON.stringify([before, req.session.greeting(), keys.includes('greeting')]))
  }))
  server.listen(0, '127.0.0.1', async () => {
    const url = 'http://127.0.0.1:' + server.address().port
    const first = await fetch(url)
    const cookie = first.headers.get('set-cookie').split(';')[0]
    console.log(JSON.stringify([await first.json(), await (await fetch(url, { headers: { cookie } })).json()]))
    server.closeAllConnections()
    server.close()
    middleware.close?.()
  })
`

test.each(PACKAGES)('a method that an application adds to Session.prototype is there in every session: %s', async (name) => {
  const args = ['--conditions=guildhall-source', '--no-warnings', '--input-type=commonjs', '-e', PROGRAM, name]
  const { stdout } = await run(process.execPath, args, { cwd: import.meta.dirname })
  const isLooped = name === 'express-session'
  expect(JSON.parse(stdout)).toEqual([
    ['Hello stranger', 'Hello alice', isLooped],
    ['Hello alice', 'Hello alice', isLooped],
  ])
})
