// A feature that only this test has: what any feature may declare works over HTTP.
import { createServer } from 'node:http'
import express from 'express'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { z } from 'zod'
import { action } from '../../src/http/action.ts'
import { keptFields, keptValues } from '../../src/http/check-input.ts'
import { feature } from '../../src/http/feature.ts'
import { describeApi } from '../../src/http/openapi.ts'
import { createPaths } from '../../src/http/paths.ts'
import { createPipeline } from '../../src/http/pipeline.ts'
import { createRouter } from '../../src/http/router.ts'
import { routesOf, textsOf } from '../../src/http/routes.ts'
import { listen, openSite, portOf, type Site } from '../support/site.ts'
import { Visitor } from '../support/visitor.ts'

const greeting = z.object({ name: z.string(), times: z.coerce.number().max(3) })

const hello = feature({
  name: 'hello',
  paths: { greetings: '/hello' },
  texts: { en: { title: 'Hello' }, 'zh-TW': { title: '哈囉' } },
  actions: [
    action({
      at: 'greetings/:name',
      method: 'get',
      guard: 'anybody',
      input: greeting,
      page: false,
      api: { name: 'greet', summary: 'Greet', description: 'Says hello.', body: z.object({ text: z.string() }) },
      run: (_core, { name, times }) => `${name} `.repeat(times).trim(),
      answer: (text) => ({ body: { text } }),
    }),
  ],
})

let site: Site
let visitor: Visitor
let close: () => void

beforeAll(async () => {
  site = await openSite()
  const routes = routesOf([hello], createPaths('', [hello], {}), site.settings)
  const server = await listen(createServer(express().use(createPipeline(site.http, createRouter(site.http, routes)))))
  close = () => server.close()
  visitor = new Visitor(`http://localhost:${portOf(server)}`)
})

afterAll(async () => {
  close()
  await site.close()
})

test('a read takes checked input from the query and from its path', async () => {
  const right = await visitor.send('/api/hello/anna?times=2')
  expect([right.status, right.json()]).toEqual([200, { text: 'anna anna' }])
  for (const query of ['', '?times=9', '?times=1&times=2']) {
    const wrong = await visitor.send(`/api/hello/anna${query}`)
    expect([wrong.status, wrong.json()]).toMatchObject([422, { code: 'invalid_input', errors: [{ field: 'times' }] }])
  }
  expect((await visitor.send('/api/hello/anna?times=%zz')).status).toBe(400)
  // The part of the path, not the field of the same name.
  expect((await visitor.send('/api/hello/anna?times=1&name=eve')).json()).toEqual({ text: 'anna' })
})

test('the description of the API tells the query of a read', () => {
  const routes = routesOf([hello], createPaths('', [hello], {}), site.settings)
  const { paths } = describeApi(site.http, routes)
  const parameters = paths['/api/hello/{name}']?.get?.parameters?.map(({ name, in: place, required }) => [name, place, required])
  expect(parameters).toEqual([
    ['name', 'path', true],
    ['times', 'query', true],
  ])
})

test('a secret is none by its name, but by its schema, and what no schema knows is not shown again', () => {
  const pin = z.string().meta({ format: 'password' })
  const fields = keptFields(z.object({ name: z.string(), pin, newPin: pin.optional(), passwordHint: z.string() }))
  const raw = { name: 'anna', pin: '1234', newPin: '4321', passwordHint: 'numbers', passwort: 'geheim', list: ['x'] }
  expect(keptValues(fields, raw)).toEqual({ name: 'anna', passwordHint: 'numbers' })
})

test('an action at a path that its feature does not have, and a text of two features, are found at the start', () => {
  const paths = createPaths('', [hello], {})
  const [greet] = hello.actions
  const lost = { ...hello, actions: greet ? [{ ...greet, at: 'nowhere' }] : [] }
  expect(() => routesOf([lost], paths, site.settings)).toThrow("the feature hello has an action at 'nowhere'")
  const texts = { en: { 'notice.saved': 'Saved' }, 'zh-TW': { 'notice.saved': '已儲存' } }
  expect(() =>
    textsOf([
      { ...hello, texts },
      { ...hello, texts },
    ]),
  ).toThrow("two features have a text 'notice.saved'")
})
