// A choir's site with pages of its own, and the membership's pages in its layout below /members.
import { Eta } from 'eta'
import express, { type Response } from 'express'
import { createMembership, RefusalError } from 'guildhall'

const { PORT = '3000', FILE = './data/own-pages.db' } = process.env

const membership = createMembership({
  baseUrl: `http://localhost:${PORT}`,
  database: `sqlite:${FILE}`,
  siteName: 'Harbour Choir',
  // The pages of the membership follow three lines; the layout below takes the same colour.
  styleSheet: ':root { --hue: 245; --radius: 2px; --font: Georgia, "Noto Serif", serif }',
  path: '/members',
  features: {
    profile: false, // the choir has its own, at /profile
    registration: { page: '/join' }, // /members/join
  },
  hooks: {
    beforeRegister({ displayName }) {
      if (!displayName?.includes(' '))
        throw new RefusalError('full_name', 'We sing by name: give your first and last name as display name.')
    },
  },
})
await membership.migrate()

const views = new Eta({ views: `${import.meta.dirname}/views`, cache: true })
const app = express()
app.use(membership)
app.use('/choir.css', (_req, res) => res.sendFile(`${import.meta.dirname}/choir.css`))

app.get('/', (req, res) => show(res, 'home', { user: req.user }))

app.get('/profile', membership.requireLogin, (req, res) => {
  const count = (req.session.visits ?? 0) + 1
  req.session.visits = count
  show(res, 'profile', { user: req.user, count })
})

const server = app.listen(Number(PORT), () => console.log(`http://localhost:${PORT}`))
process.once('SIGTERM', () => server.close(() => void membership.close()))

declare module 'guildhall/session' {
  interface SessionData {
    visits?: number
  }
}

function show(res: Response, view: string, data: object): void {
  res.set('Cache-Control', 'no-store').send(views.render(view, data))
}
