// deploy/compose.yaml: it is one, and what it sets is what the server takes.
import { execFileSync, spawnSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { describe, expect, test } from 'vitest'
import { parse } from 'yaml'
import { isVariable } from '../../src/server/variable-names.ts'
import { describeWith } from '../support/needs.ts'
import { newFolder, PRODUCTION, run, writeFiles } from '../support/server.ts'

const DEPLOY = resolve(import.meta.dirname, '../../deploy')
const read = (file: string) => readFileSync(resolve(DEPLOY, file), 'utf8')

interface Service {
  readonly image?: string
  readonly environment?: Readonly<Record<string, string>>
  readonly command?: readonly string[]
  readonly secrets?: readonly string[]
  readonly networks?: readonly string[]
  readonly volumes?: readonly string[]
  readonly user?: string
  readonly read_only?: boolean
  readonly cap_drop?: readonly string[]
  readonly stop_grace_period?: string
  readonly healthcheck?: { readonly test: readonly string[] }
  readonly depends_on?: Readonly<Record<string, { readonly condition: string }>>
}

const compose: {
  readonly services: Readonly<Record<string, Service>>
  readonly secrets: Readonly<Record<string, { readonly file: string }>>
  readonly networks: Readonly<Record<string, { readonly internal?: boolean } | null>>
} = parse(read('compose.yaml'), { merge: true })
const { services } = compose
const ours = Object.entries(services).filter(([, { image }]) => image === 'guildhall')

test('every setting of ours is one that the server has, and every secret a file that the compose file knows', () => {
  expect(ours.map(([name]) => name)).toEqual(['server-1', 'server-2', 'migrate'])
  for (const [, { environment = {}, secrets = [] }] of ours) {
    const names = Object.keys(environment)
    expect(names.filter((name) => !isVariable(name.replace(/_FILE$/, '')))).toEqual([])
    const files = names.filter((name) => name.endsWith('_FILE')).map((name) => environment[name])
    expect(files).toEqual(secrets.map((name) => `/run/secrets/${name}`))
  }
  for (const { secrets = [] } of Object.values(services))
    for (const name of secrets) expect(compose.secrets[name]?.file).toMatch(/^\.\/secrets\//)
})

test('a server starts with these settings: only the places differ', async () => {
  const folder = newFolder()
  const [, { environment = {} }] = ours[0] ?? ['', {}]
  writeFiles(folder, {
    database_url: `sqlite:${folder}/site.db\n`,
    secret: `${PRODUCTION.SECRET}\n`,
    password_pepper: 'a pepper that nobody knows\n',
  })
  const { REDIS_URL, ...rest } = environment
  expect(REDIS_URL).toMatch(/^redis:\/\//)
  const env = Object.fromEntries(
    Object.entries(rest).map(([name, value]) => [name, filledIn(value).replace('/run/secrets', folder)]),
  )
  const { code, stdout, stderr } = await run(['doctor', '--json'], {
    folder,
    env: { ...env, BASE_URL: 'https://members.example.org' },
  })
  expect([code, stderr]).toEqual([0, ''])
  expect(
    JSON.parse(stdout).findings.filter(
      ({ mark, text }: { mark: string; text: string }) => mark === 'error' || /SECRET/.test(text),
    ),
  ).toEqual([{ mark: 'ok', text: 'SECRET comes from the file that SECRET_FILE names.' }])
})

describe('the services', () => {
  test.each(ours)('%s may write nothing, has no rights, and gives itself up in time', (_, service) => {
    expect(service).toMatchObject({ read_only: true, user: '1000:1000', cap_drop: ['ALL'] })
    expect(service.depends_on?.postgres).toEqual({ condition: 'service_healthy' })
  })

  test.each(['server-1', 'server-2'])('%s waits for the schema, is looked at by /readyz, and has time to stop', (name) => {
    const { depends_on, healthcheck, stop_grace_period } = services[name] ?? {}
    expect(depends_on?.migrate).toEqual({ condition: 'service_completed_successfully' })
    expect(healthcheck?.test.join(' ')).toContain('http://127.0.0.1:3000/readyz')
    expect(Number.parseInt(stop_grace_period ?? '', 10)).toBeGreaterThan(10)
  })

  test('the health check of a server is a program that runs, and fails where nothing answers', () => {
    const [, ...check] = services['server-1']?.healthcheck?.test ?? []
    const [, ...args] = check
    expect(
      spawnSync(
        process.execPath,
        args.map((arg) => arg.replace(':3000', ':1')),
      ),
    ).toMatchObject({ status: 1 })
  })

  test('nobody from outside reaches the database or Redis, which keeps every key', () => {
    expect(compose.networks.back).toEqual({ internal: true })
    expect(services.postgres?.networks).toEqual(['back'])
    expect(services.redis?.networks).toEqual(['back'])
    expect(services.proxy?.networks).toEqual(['front'])
    expect(services.redis?.command?.join(' ')).toMatch(/--maxmemory-policy noeviction --appendonly yes/)
    for (const name of ['postgres', 'redis']) expect(services[name]?.volumes).toHaveLength(1)
  })

  test('the proxy has everything that its configuration asks for', () => {
    const asked = [...read('haproxy.cfg').matchAll(/\$\{(\w+)\}/g)].map(([, name = '']) => name)
    expect(Object.keys(services.proxy?.environment ?? {}).toSorted()).toEqual(asked.toSorted())
    for (const [n, name] of ['SERVER_1', 'SERVER_2'].entries())
      expect(services.proxy?.environment?.[name]).toBe(`server-${n + 1}:3000`)
  })
})

test('what compose.yaml asks for is in .env.example, and every file that the Containerfile names is there', () => {
  const asked = [...read('compose.yaml').matchAll(/\$\{(\w+)/g)].map(([, name = '']) => name)
  for (const name of asked) expect(read('.env.example')).toMatch(new RegExp(`^${name}=`, 'm'))
  expect(read('Containerfile')).toContain('/app/node_modules/guildhall/bin/guildhall.js')
  expect(existsSync(resolve(DEPLOY, '../bin/guildhall.js'))).toBe(true)
  const { peerDependencies } = JSON.parse(readFileSync(resolve(DEPLOY, '../package.json'), 'utf8'))
  // The newest that we take.
  for (const [name, range] of Object.entries(peerDependencies))
    expect(read('Containerfile')).toContain(
      ` ${name}@${String(range)
        .match(/(?<=\^)\d+/g)
        ?.at(-1)} `,
    )
})

test('the guide makes every secret that compose.yaml asks for, and the two of PostgreSQL fit', () => {
  const guide = readFileSync(resolve(DEPLOY, '../docs/guides/deploying.md'), 'utf8')
  const block = [...guide.matchAll(/```sh\n([\s\S]*?)```/g)]
    .map(([, code = '']) => code)
    .find((code) => code.includes('secrets/secret'))
  const lines = (block ?? '').split('\n').filter((line) => line.includes('secrets'))
  const folder = newFolder()
  writeFiles(folder, { 'fullchain.pem': 'chain', 'privkey.pem': 'key' })
  execFileSync('sh', ['-ec', lines.join('\n')], { cwd: folder })
  const wanted = Object.values(compose.secrets).map(({ file }) => file.replace('./secrets/', ''))
  expect(readdirSync(resolve(folder, 'secrets')).toSorted()).toEqual(wanted.toSorted())
  const secret = (name: string) => readFileSync(resolve(folder, 'secrets', name), 'utf8').trim()
  expect(new URL(secret('database_url'))).toMatchObject({
    password: secret('postgres_password'),
    host: 'postgres',
    username: 'guildhall',
  })
  expect(secret('secret').length).toBeGreaterThanOrEqual(32)
  const named = [...guide.matchAll(/\bdeploy\/([\w@.-]+)/g)].map(([, name = '']) => name.replace(/\.$/, ''))
  expect(named.filter((name) => !existsSync(resolve(DEPLOY, name)))).toEqual([])
})

describeWith('docker-compose', 'Compose itself', () => {
  test('takes the file', () => {
    const env = { PATH: process.env.PATH, BASE_URL: 'https://members.example.org' }
    const { status, stderr } = spawnSync('docker-compose', ['-f', 'compose.yaml', 'config', '--quiet'], {
      cwd: DEPLOY,
      env,
      encoding: 'utf8',
    })
    expect([status, stderr]).toEqual([0, ''])
    const without = spawnSync('docker-compose', ['-f', 'compose.yaml', 'config', '--quiet'], {
      cwd: DEPLOY,
      env: { PATH: process.env.PATH },
      encoding: 'utf8',
    })
    expect([without.status, without.stderr]).toEqual([1, expect.stringContaining('write BASE_URL=')])
  })
})

/** `${LOCALE:-en}` is `en` if nothing is set. */
function filledIn(value: string): string {
  return value.replace(/\$\{\w+:-([^}]*)\}/g, '$1')
}
