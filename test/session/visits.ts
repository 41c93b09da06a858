// What somebody does in the tests of slow requests: begins a session, logs in under a new id, logs out, looks.
import type { Express } from 'express'

export function addVisits(app: Express): void {
  app.get('/begin', (req, res) => {
    req.session.views = 1
    res.end()
  })
  app.get('/login', async (req, res) => {
    await req.session.regenerate()
    req.session.cart = 'logged in'
    res.end()
  })
  app.get('/logout', async (req, res) => {
    await req.session.destroy()
    res.end()
  })
  app.get('/look', (req, res) => {
    res.json(req.session.cart ?? null)
  })
}
