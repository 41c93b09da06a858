// The measured applications, one per process: the same route with the same answer each time, behind something else. Sends its port.
import { createServer } from 'node:http'
import { type Apps, plainApps } from './apps/app.ts'
import { betterAuthApps } from './apps/better-auth.ts'
import { expressSessionApps } from './apps/express-session.ts'
import { guildhallApps } from './apps/guildhall.ts'
import { ironSessionApps } from './apps/iron-session.ts'
import { passwordLoginApps } from './apps/password-logins.ts'

const apps: Apps = {
  ...plainApps,
  ...expressSessionApps,
  ...ironSessionApps,
  ...betterAuthApps,
  ...passwordLoginApps,
  ...guildhallApps,
}

const [name = '', folder = ''] = process.argv.slice(2)

const make = apps[name]
if (make === undefined) throw new TypeError(`there is no application ${name}`)
const server = createServer()
await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
const address = server.address()
if (address === null || typeof address === 'string') throw new Error('the server does not listen on a port')
server.on('request', await make({ base: `http://127.0.0.1:${address.port}`, folder }))
process.on('SIGTERM', () => process.exit())
process.send?.({ port: address.port })
