// examples/todo-list: people write down what there is to do, each for themselves.
import { expect, test } from 'vitest'
import { inDatabase } from '../support/artifacts.ts'
import { Visitor } from '../support/visitor.ts'
import { type Example, runExample } from './example.ts'

async function member({ base }: Example, name: string): Promise<Visitor> {
  const visitor = new Visitor(base)
  await visitor.register(name)
  return visitor
}

test('a member adds, ticks off and removes what there is to do', async () => {
  const example = await runExample('todo-list')
  const stranger = new Visitor(example.base)
  expect((await stranger.get('/')).text).toContain('Create an account')
  expect((await stranger.get('/todos')).location).toBe('/login?returnTo=%2Ftodos')

  const anna = await member(example, 'anna')
  expect((await anna.get('/')).location).toBe('/todos')
  expect((await anna.form('/todos', { text: 'Buy milk' })).location).toBe('/todos')
  expect((await anna.get('/todos')).text).toContain('☐ Buy milk')
  const [, id] = /\/todos\/(\d+)\/toggle/.exec((await anna.get('/todos')).text) ?? []
  await anna.form(`/todos/${id}/toggle`, {})
  expect((await anna.get('/todos')).text).toContain('☑ Buy milk')
  await anna.form(`/todos/${id}/remove`, {})
  expect((await anna.get('/todos')).text).not.toContain('Buy milk')
  for (const text of ['', ' ', 'x'.repeat(201)]) expect((await anna.form('/todos', { text })).status).toBe(422)
  await anna.form('/logout', {})
  expect((await anna.get('/todos')).location).toBe('/login?returnTo=%2Ftodos')
})

test('nobody sees or touches the to-dos of others', async () => {
  const example = await runExample('todo-list')
  const [anna, bert] = [await member(example, 'anna'), await member(example, 'bert')]
  await anna.form('/todos', { text: 'Secret plan' })
  const [, id] = /\/todos\/(\d+)\/toggle/.exec((await anna.get('/todos')).text) ?? []
  expect((await bert.get('/todos')).text).not.toContain('Secret plan')
  expect((await bert.form(`/todos/${id}/toggle`, {})).status).toBe(404)
  expect((await bert.form(`/todos/${id}/remove`, {})).status).toBe(404)
  expect((await anna.get('/todos')).text).toContain('☐ Secret plan')
})

test('what people write is text, never markup', async () => {
  const anna = await member(await runExample('todo-list'), 'anna')
  await anna.form('/todos', { text: '<script>alert("1")</script> & \'2\'' })
  const { text } = await anna.get('/todos')
  expect(text).toContain('&lt;script&gt;alert(&quot;1&quot;)&lt;/script&gt; &amp; &#39;2&#39;')
  expect(text).not.toContain('<script')
})

test('another site writes nothing with the cookie of a member, although no form has a token', async () => {
  const example = await runExample('todo-list')
  const anna = await member(example, 'anna')
  for (const headers of [
    { origin: 'https://evil.example', 'sec-fetch-site': 'cross-site' },
    { origin: 'http://other.localhost', 'sec-fetch-site': 'same-site' },
  ]) {
    expect((await anna.form('/todos', { text: 'Send money' }, { headers })).status).toBe(403)
  }
  expect(await inDatabase(example, 'SELECT * FROM todos')).toEqual([])
})
