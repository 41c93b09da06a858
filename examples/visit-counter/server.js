// Counts how often a browser has opened this page: the session middleware alone, without members.
import express from 'express'
import { session } from 'guildhall/session'
import { SqliteStore } from 'guildhall/session/sqlite'

const { PORT = '3000', SESSIONS = './data/visits.db' } = process.env

const app = express()
app.use(session({ store: new SqliteStore({ path: SESSIONS }) }))

app.get('/', (req, res) => {
  req.session.visits = (req.session.visits ?? 0) + 1
  const { visits } = req.session
  res.send(`You have visited this page ${visits} ${visits === 1 ? 'time' : 'times'}`)
})

const server = app.listen(Number(PORT), () => {
  console.log(`http://localhost:${server.address().port}`)
})
