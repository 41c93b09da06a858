// The server with REDIS_URL: what it says of Redis, and that a Redis which goes away takes no process along.
import { randomUUID } from 'node:crypto'
import { expect, test } from 'vitest'
import { describeOnRedis, openWay, REDIS_URL } from '../support/redis.ts'
import { countLines, newFolder, run, startServer } from '../support/server.ts'

describeOnRedis('a server on Redis', () => {
  test('is ready while Redis answers, stays up while it does not, and stops in order either way', async () => {
    const way = await openWay()
    try {
      const server = await startServer({ env: { REDIS_URL: way.url } })
      const ready = async () => (await fetch(`${server.url}/readyz`)).status
      expect(await ready()).toBe(200)
      await way.cut()
      expect(await ready()).toBe(503)
      expect((await fetch(`${server.url}/healthz`)).status).toBe(200)
      expect((await fetch(`${server.url}/login`)).status).toBe(200)
      await way.restore()
      await expect.poll(ready).toBe(200)
      await way.cut()
      expect(await server.stop()).toMatchObject({ code: 0 })
      // One that is ended by force does not say so.
      expect(countLines(server, 'stopped')).toBe(1)
      expect(server.output()).not.toContain('nobody caught')
    } finally {
      await way.close()
    }
  })

  test('a machine that takes its time to load the redis package is not told that Redis is away', async () => {
    const folder = newFolder()
    await run(['migrate'], { folder })
    const { stdout } = await run(['doctor'], { folder, env: { REDIS_URL }, preload: SLOW_REDIS })
    expect(stdout).toContain('Redis answers.')
  })

  test('doctor says whether Redis answers', async () => {
    const folder = newFolder()
    await run(['migrate'], { folder })
    expect((await run(['doctor'], { folder, env: { REDIS_URL } })).stdout).toContain('Redis answers.')
    const secret = randomUUID()
    const { stdout, stderr, code } = await run(['doctor'], { folder, env: { REDIS_URL: `redis://:${secret}@127.0.0.1:1` } })
    expect([code, stdout + stderr]).toEqual([1, expect.stringContaining('does not answer')])
    expect(stdout + stderr).not.toContain(secret)
  })
})

const WITHOUT_REDIS = `import { registerHooks } from 'node:module'
registerHooks({ resolve(name, context, next) {
  if (name === 'redis') throw Object.assign(new Error('Cannot find package'), { code: 'ERR_MODULE_NOT_FOUND' })
  return next(name, context)
} })`

const SLOW_REDIS = `import { registerHooks } from 'node:module'
registerHooks({ resolve(name, context, next) {
  if (name === '@redis/client') Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1000)
  return next(name, context)
} })`

test('without the redis package the start says in one line what to install', async () => {
  const { code, stderr } = await run(['serve'], { env: { REDIS_URL, PORT: '0' }, preload: WITHOUT_REDIS })
  expect([code, stderr]).toEqual([1, expect.stringContaining('npm install redis')])
  expect(stderr).not.toContain(' at ')
})
