// Warnings that all visitors count as one, or that visitors can choose their address.
import { afterEach, expect, test } from 'vitest'
import { openSite, type Site, type SiteOptions } from '../support/site.ts'

let site: Site
afterEach(() => site?.close())

async function warningsOf(trustProxy: SiteOptions['trustProxy'], ...requests: readonly Record<string, string>[]) {
  site = await openSite(trustProxy === undefined ? {} : { trustProxy })
  for (const headers of requests) expect((await site.visitor().get('/login', { headers })).status).toBe(200)
  return site.logs.filter(({ level }) => level === 'warn').map(({ message }) => message)
}

test.each(['x-forwarded-for', 'x-forwarded-proto', 'x-forwarded-host', 'x-real-ip', 'forwarded'])(
  'an operator whose proxy is not trusted is told once, at the first request with %s',
  async (name) => {
    const warnings = await warningsOf(undefined, {}, { [name]: 'a.example' }, { [name]: 'b.example' })
    expect(warnings).toEqual([expect.stringMatching(/^A proxy is in front.*app\.set\('trust proxy', 1\)/)])
  },
)

test('an operator who trusts every forwarded address is told at the first request', async () => {
  expect(await warningsOf(true, {}, {})).toEqual([expect.stringMatching(/'trust proxy', true\).*no limit holds/)])
})

test('an operator who trusts another proxy than the one in front is told', async () => {
  expect(await warningsOf('10.0.0.1', { 'x-forwarded-for': '192.0.2.1' })).toHaveLength(1)
})

test.each([[1], ['loopback']])(
  'an operator who trusts the proxy in front (%s), or has none, gets no warning',
  async (trustProxy) => {
    expect(await warningsOf(trustProxy, {}, { 'x-forwarded-for': '192.0.2.1' })).toEqual([])
  },
)
