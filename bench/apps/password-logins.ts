// Logins for the storm: express-session with a password library, as its users write it. Sessions in memory, one hash for all members.
import express, { type RequestHandler } from 'express'
import { importPeer } from '../peers.ts'
import { MEMBERS, memberName, PASSWORD } from '../visitors.ts'
import { type Apps, refuse, requireUserId, sendUser } from './app.ts'
import { expressSession } from './express-session.ts'

interface Bcrypt {
  readonly default: {
    hash(password: string, cost: number): Promise<string>
    compare(password: string, hash: string): Promise<boolean>
  }
}

interface Argon2 {
  hash(password: string, parameters: object): Promise<string>
  verify(hash: string, password: string): Promise<boolean>
}

interface Hashing {
  readonly hash: string
  verify(password: string, hash: string): Promise<boolean>
}

export const passwordLoginApps: Apps = {
  'storm: bcrypt': () => appWith('bcrypt'),
  'storm: bcryptjs': () => appWith('bcryptjs'),
  'storm: @node-rs/argon2': async () => {
    const { hash, verify } = await importPeer<Argon2>('@node-rs/argon2')
    const parameters = { memoryCost: 19_456, timeCost: 2, parallelism: 1 }
    return app({ hash: await hash(PASSWORD, parameters), verify: (password, stored) => verify(stored, password) })
  },
}

async function appWith(name: 'bcrypt' | 'bcryptjs') {
  const { default: bcrypt } = await importPeer<Bcrypt>(name)
  return app({ hash: await bcrypt.hash(PASSWORD, 10), verify: (password, stored) => bcrypt.compare(password, stored) })
}

async function app({ hash, verify }: Hashing) {
  const hashes = new Map(Array.from({ length: MEMBERS }, (_, index) => [memberName(index), hash]))
  const logIn: RequestHandler = async (req, res, next) => {
    const { username, password } = req.body
    const stored = hashes.get(username)
    if (stored === undefined || !(await verify(password, stored))) return refuse(req, res, next)
    // A new id at login, and saved before the answer: what the README of express-session shows.
    await new Promise<void>((done, fail) => req.session.regenerate(settle(done, fail)))
    Object.assign(req.session, { userId: username })
    await new Promise<void>((done, fail) => req.session.save(settle(done, fail)))
    sendUser(req, res, next)
  }
  return express()
    .use(await expressSession(), express.json())
    .post('/api/login', logIn)
    .get('/api/profile', requireUserId, sendUser)
}

function settle(done: () => void, fail: (error: unknown) => void): (error?: unknown) => void {
  return (error) => (error ? fail(error) : done())
}
