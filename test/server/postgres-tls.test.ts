// PostgreSQL over TLS: only a certificate of the right authority and name is trusted.
import { chmodSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pg from 'pg'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Authority, makeAuthority } from '../support/certificates.ts'
import { describeWith } from '../support/needs.ts'
import { OwnPostgres } from '../support/own-postgres.ts'
import { give } from '../support/own-server.ts'
import { post, run, startServer } from '../support/server.ts'

const PASSWORD = 'violet harbour lantern'

describeWith(['initdb', 'openssl'], 'PostgreSQL over TLS', () => {
  let folder: string
  let trusted: Authority
  let stranger: Authority
  let postgres: OwnPostgres

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'guildhall-tls-'))
    trusted = makeAuthority(folder, 'trusted')
    stranger = makeAuthority(folder, 'stranger')
    postgres = await OwnPostgres.start()
    // For the name alone: by its address it is another.
    const { key, cert } = trusted.sign(postgres.data, 'own', 'DNS:localhost')
    for (const file of [key, cert]) give(file)
    chmodSync(key, 0o600)
    // Nobody gets in without TLS.
    postgres.allowOnly('hostssl all all all trust')
    await postgres.stop('fast')
    await postgres.start(['ssl=on', `ssl_cert_file=${cert}`, `ssl_key_file=${key}`])
  })
  afterAll(async () => {
    await postgres.drop()
    rmSync(folder, { recursive: true })
  })

  const urlOf = (host: string, settings: string) => {
    const url = new URL(postgres.url)
    url.hostname = host
    url.search = settings
    return url.href
  }
  const verified = (host: string, { cert }: Authority) =>
    urlOf(host, `sslmode=verify-full&sslrootcert=${encodeURIComponent(cert)}`)

  test('verify-full with the right authority: a site migrates and serves, and the connection is encrypted', async () => {
    const database = verified('localhost', trusted)
    const server = await startServer({ env: { DATABASE_URL: database } })
    expect((await post(server, '/api/register', { username: 'anna', password: PASSWORD })).status).toBe(201)
    const client = new pg.Client({ connectionString: database })
    await client.connect()
    const { rows } = await client.query(
      'SELECT bool_and(ssl) AS encrypted, count(*)::int AS n FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) WHERE client_port IS NOT NULL',
    )
    await client.end()
    expect(rows[0]).toMatchObject({ encrypted: true })
    expect(rows[0].n).toBeGreaterThan(1)
  })

  test.each([
    ['another authority', () => verified('localhost', stranger), /sslrootcert/],
    ['another name', () => verified('127.0.0.1', trusted), /127\.0\.0\.1.*sslrootcert/],
    ['no authority at all', () => urlOf('localhost', 'sslmode=verify-full'), /sslrootcert/],
    ['no TLS', () => urlOf('localhost', 'sslmode=disable'), /no encryption/],
  ])('%s is refused in one line that says why', async (_, url, words) => {
    for (const command of ['serve', 'migrate']) {
      const { code, stderr } = await run([command], { env: { DATABASE_URL: url(), PORT: '0' } })
      expect([command, code, stderr]).toEqual([command, 1, expect.stringMatching(/^(?:The database|PostgreSQL)/)])
      expect(stderr).toMatch(words)
      expect(stderr.trimEnd().split('\n')).toHaveLength(1)
    }
  })
})
