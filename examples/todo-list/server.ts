// A to-do list for members. Each person sees and changes their own; everything is in one SQLite file.
import express, { type Request } from 'express'
import { createMembership } from 'guildhall'
import { type Html, html } from './html.ts'
import { openTodos } from './todos.ts'

const { PORT = '3000', FILE = './data/todo-list.db' } = process.env

const membership = createMembership({
  baseUrl: `http://localhost:${PORT}`,
  database: `sqlite:${FILE}`,
  siteName: 'To-do list',
})
await membership.migrate()
const todos = openTodos(FILE)

const app = express()
app.use(membership) // gives req.user, serves /login and the rest, refuses writes that another site sends
app.use(express.urlencoded())

app.get('/', (req, res) => {
  if (req.user) return res.redirect('/todos')
  res.send(
    page(
      html`<p><a href="/register">Create an account</a> or <a href="/login">log in</a> to write down what there is to do.</p>`,
    ),
  )
})

app.use('/todos', membership.requireLogin)

app.get('/todos', (req, res) => {
  const items = todos.of(userId(req)).map(
    ({ id, text, done }) => html`<li>
      <form method="post" action="/todos/${id}/toggle"><button aria-pressed="${done}">${done ? '☑' : '☐'} ${text}</button></form>
      <form method="post" action="/todos/${id}/remove"><button aria-label="Remove ${text}">✕</button></form></li>`,
  )
  res.send(
    page(html`<p>Logged in as <a href="/profile">${req.user?.displayName}</a></p>
      <form method="post" action="/todos"><label>What is to be done? <input name="text" required maxlength="200"></label> <button>Add</button></form>
      <ul>${items}</ul>
      <form method="post" action="/logout"><button>Log out</button></form>`),
  )
})

app.post('/todos', (req, res) => {
  const text: unknown = req.body?.text
  if (typeof text !== 'string' || text.trim() === '' || text.length > 200) {
    return void res.status(422).send(page(html`<p>A to-do has 1 to 200 characters. <a href="/todos">Back</a></p>`))
  }
  todos.add(userId(req), text.trim())
  res.redirect(303, '/todos')
})

app.post('/todos/:id/:verb', (req, res, next) => {
  const { id, verb } = req.params
  if (verb !== 'toggle' && verb !== 'remove') return next()
  // Somebody else's is not there, like one that never was.
  if (!todos[verb](userId(req), Number(id))) return next()
  res.redirect(303, '/todos')
})

const server = app.listen(Number(PORT), () => console.log(`http://localhost:${PORT}`))

process.once('SIGTERM', () => server.close(() => void membership.close()))

/** Behind requireLogin there always is one. */
function userId({ user }: Request): string {
  if (!user) throw new Error('this route needs requireLogin')
  return user.id
}

function page(body: Html): string {
  return html`<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>To-do list</title>
    <style>body { font: 1.1rem/1.6 system-ui; max-width: 34rem; margin: 2rem auto; padding: 0 1rem } li form { display: inline }</style>
    <h1>To-do list</h1>${body}</html>`.text
}
