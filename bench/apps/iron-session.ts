// iron-session: everything in a sealed cookie, opened at each request.
import type { IncomingMessage, ServerResponse } from 'node:http'
import express from 'express'
import { importPeer } from '../peers.ts'
import { type Apps, refuse, SECRET, sendUser, USER } from './app.ts'

interface IronSession {
  getIronSession(req: IncomingMessage, res: ServerResponse, options: object): Promise<{ userId?: string; save(): Promise<void> }>
}

export const ironSessionApps: Apps = {
  'iron-session': async () => {
    const { getIronSession } = await importPeer<IronSession>('iron-session')
    const options = { password: SECRET, cookieName: 'iron', cookieOptions: { secure: false } }
    const app = express()
    app.post('/login', async (req, res, next) => {
      const session = await getIronSession(req, res, options)
      session.userId = USER.id
      await session.save()
      sendUser(req, res, next)
    })
    app.get('/profile', async (req, res, next) => {
      const { userId } = await getIronSession(req, res, options)
      return userId === undefined ? refuse(req, res, next) : sendUser(req, res, next)
    })
    return app
  },
}
