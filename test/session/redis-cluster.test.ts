// The Redis store on a cluster and behind Sentinel: no script needs keys of two nodes.
import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { RedisStore } from 'guildhall/session/redis'
import { sessionRow } from 'guildhall/testing'
import { createClient, createCluster, createSentinel } from 'redis'
import { afterEach, expect, test } from 'vitest'
import { describeWith } from '../support/needs.ts'
import { freePort } from '../support/program.ts'

const opened: (() => unknown)[] = []
afterEach(async () => {
  for (const close of opened.splice(0).toReversed()) await close()
})

/** A server of this test's own, in a folder of its own. */
async function startServer(settings: readonly string[], options: readonly string[] = []): Promise<number> {
  const folder = mkdtempSync(join(tmpdir(), 'guildhall-redis-'))
  const port = await freePort()
  const file = join(folder, 'redis.conf')
  writeFileSync(file, [`port ${port}`, 'bind 127.0.0.1', `dir ${folder}`, 'save ""', ...settings].join('\n'))
  const server: ChildProcess = spawn('redis-server', [file, ...options], { stdio: 'ignore' })
  opened.push(async () => {
    const ended = new Promise((resolve) => server.once('exit', resolve))
    server.kill('SIGKILL')
    await ended
    rmSync(folder, { recursive: true, force: true })
  })
  await expect.poll(() => ask(port, ['PING'])).toBe('PONG')
  return port
}

async function ask(port: number, command: readonly string[]): Promise<unknown> {
  const client = createClient({ socket: { port, host: '127.0.0.1', reconnectStrategy: false } })
  client.on('error', () => {})
  try {
    await client.connect()
    return await client.sendCommand([...command])
  } catch (error) {
    return error
  } finally {
    if (client.isOpen) client.destroy()
  }
}

/** Each verb once, on sessions whose keys are on several nodes. */
async function useStore(store: RedisStore): Promise<void> {
  const rows = Array.from({ length: 30 }, (_, n) => sessionRow({ userId: `u${n % 3}` }))
  for (const row of rows) await store.create(row)
  for (const row of rows) {
    expect(await store.update(row.hash, { n: '1' }, { ifRevision: row.revision })).toBe(true)
    expect(await store.touch(row.hash, { lastSeenAt: row.lastSeenAt + 1, expiresAt: row.expiresAt + 1 })).toBe(true)
    expect(await store.find(row.hash)).toMatchObject({ data: '{"n":"1"}', lastSeenAt: row.lastSeenAt + 1 })
  }
  expect(await store.listByUser('u0')).toHaveLength(10)
  expect(await store.supersede(rows[1]?.hash ?? '', rows[1]?.expiresAt ?? 0)).toBe(true)
  expect(await store.delete([rows[0]?.hash ?? ''])).toEqual([rows[0]?.hash])
  expect(await store.deleteByUser('u0')).toBe(9)
  expect(await store.deleteByUser('u1', { except: rows[1]?.hash })).toBe(9)
  for (const [n, row] of rows.entries()) expect((await store.find(row.hash)) !== undefined).toBe(n === 1 || n % 3 === 2)
}

describeWith('redis-server', 'more than one Redis', () => {
  test('a session on a cluster of three is made, changed, listed and ended', async () => {
    const nodes = [await startNode(), await startNode(), await startNode()]
    const ports = nodes.map(({ port }) => port)
    const [first = 0] = ports
    const slots = [
      [0, 5460],
      [5461, 10_922],
      [10_923, 16_383],
    ]
    for (const [n, [from, to]] of slots.entries())
      await ask(ports[n] ?? 0, ['CLUSTER', 'ADDSLOTSRANGE', String(from), String(to)])
    for (const { port, bus } of nodes.slice(1)) await ask(first, ['CLUSTER', 'MEET', '127.0.0.1', String(port), String(bus)])
    for (const port of ports) {
      await expect.poll(() => ask(port, ['CLUSTER', 'INFO']).then(String)).toContain('cluster_state:ok')
    }
    const client = createCluster({ rootNodes: [{ url: `redis://127.0.0.1:${first}` }] })
    client.on('error', () => {})
    await client.connect()
    opened.push(() => client.destroy())
    await useStore(new RedisStore({ client }))
    for (const port of ports) expect(await ask(port, ['DBSIZE'])).toBeGreaterThan(0)
  }, 60_000)

  test('a session behind Sentinel is made, changed, listed and ended', async () => {
    const port = await startServer([])
    const sentinel = await startServer([`sentinel monitor members 127.0.0.1 ${port} 1`], ['--sentinel'])
    const client = createSentinel({ name: 'members', sentinelRootNodes: [{ host: '127.0.0.1', port: sentinel }] })
    client.on('error', () => {})
    await client.connect()
    opened.push(() => client.destroy())
    await useStore(new RedisStore({ client }))
  }, 60_000)
})

interface Node {
  readonly port: number
  readonly bus: number
}

async function startNode(): Promise<Node> {
  const bus = await freePort()
  return { bus, port: await startServer(['cluster-enabled yes', 'cluster-node-timeout 2000', `cluster-port ${bus}`]) }
}
