// `guildhall openapi`: the description of the API without a server, to generate a client from.
import { readdirSync } from 'node:fs'
import { expect, test } from 'vitest'
import type { ApiDocument } from '../../src/http/openapi-types.ts'
import { newFolder, run, startServer } from '../support/server.ts'
import { openSite } from '../support/site.ts'

test('somebody who asks for the description in an empty folder gets what the server would serve, and nothing is made', async () => {
  const folder = newFolder()
  const env = { REDIS_URL: 'redis://127.0.0.1:1', DATABASE_URL: 'postgres://nobody@127.0.0.1:1/none', PORT: '3999' }
  const { code, stdout, stderr } = await run(['openapi'], { folder, env })
  expect([code, stderr]).toEqual([0, ''])
  expect(readdirSync(folder)).toEqual([])
  const printed: ApiDocument = JSON.parse(stdout)
  expect(printed.servers).toEqual([{ url: 'http://localhost:3999' }])
  const server = await startServer()
  const served: ApiDocument = JSON.parse(await (await fetch(`${server.url}/openapi.json`)).text())
  expect({ ...printed, servers: [] }).toEqual({ ...served, servers: [] })
})

test('an operator whose settings have faults is told so, as everywhere', async () => {
  const { code, stdout, stderr } = await run(['openapi'], { env: { BASE_URL: 'members.example.org' } })
  expect([code, stdout, stderr]).toEqual([1, '', expect.stringContaining('BASE_URL')])
})

test('an application describes its membership, and nothing of a server that it is not', async () => {
  const site = await openSite({
    path: '/members',
    routes: (app, { membership }) => app.get('/api.json', (_req, res) => void res.json(membership.openapi())),
  })
  const document = (await site.visitor().get('/api.json')).json<ApiDocument>()
  expect(Object.keys(document.paths)).toContain('/members/api/login')
  expect(Object.keys(document.paths)).not.toContain('/healthz')
  expect(document.servers).toEqual([{ url: site.base }])
  expect(JSON.stringify(document)).not.toContain('text/plain')
  await site.close()
})

test('somebody who generates a client calls operations by their names, and finds each refusal once', async () => {
  const site = await openSite()
  const { paths, components } = site.membership.openapi() as ApiDocument
  const operations = Object.values(paths).flatMap(({ get, post }) => [get, post].filter((one) => one !== undefined))
  expect(operations.map(({ operationId }) => operationId).toSorted()).toEqual([
    'changePassword',
    'changeProfile',
    'confirmLogin',
    'disownEmail',
    'endOtherSessions',
    'endSession',
    'getProfile',
    'listSessions',
    'logIn',
    'logOut',
    'register',
    'requestPasswordReset',
    'resendVerification',
    'resetPassword',
    'sayNotMe',
    'verifyEmail',
  ])
  for (const { operationId, summary, description, responses } of operations) {
    expect([operationId, summary.length < 40, description.length > summary.length]).toEqual([operationId, true, true])
    for (const [status, response] of Object.entries(responses))
      expect([operationId, status, '$ref' in response]).toEqual([operationId, status, Number(status) >= 400])
  }
  expect(components.responses).toHaveProperty('LoginRequired')
  expect(components.schemas).toMatchObject({ UserBody: {}, SessionsBody: {}, Problem: {}, LogInInput: {}, FieldError: {} })
  // One media type for each body of an answer.
  for (const { content = {} } of Object.values(components.responses)) expect(Object.keys(content)).toHaveLength(1)
  await site.close()
})
