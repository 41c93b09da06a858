// A single-page application on the JSON API of the membership, under a security policy of its own.
import express from 'express'
import { createMembership } from 'guildhall'

const { PORT = '3000', FILE = './data/json-client.db' } = process.env

const membership = createMembership({ baseUrl: `http://localhost:${PORT}`, database: `sqlite:${FILE}` })
await membership.migrate()

const app = express()
app.use(membership)
app.use(
  express.static(`${import.meta.dirname}/public`, {
    setHeaders: (res) =>
      res.setHeader('Content-Security-Policy', "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'"),
  }),
)

const server = app.listen(Number(PORT), () => console.log(`http://localhost:${PORT}`))
process.once('SIGTERM', () => server.close(() => void membership.close()))
