// Prints as JSON which functions of src/ logged-in requests run, by V8's coverage.

import { createServer } from 'node:http'
import { Session } from 'node:inspector/promises'
import { StatementSync } from 'node:sqlite'
import { setTimeout as pause } from 'node:timers/promises'
import express from 'express'
import { createMembership } from 'guildhall'
import { testClock } from 'guildhall/testing'
import { listen, portOf } from './site.ts'

export interface ExecutedFunctions {
  /** Of a read without a write, and of one that marks the session as seen. */
  readonly read: readonly RunFunction[]
  readonly touch: readonly RunFunction[]
  /** The folders of src/ on the way from the request to SQLite, in order. Empty on other databases. */
  readonly way: readonly string[]
}

export interface RunFunction {
  /** Below src/. */
  readonly file: string
  readonly name: string
}

const SRC = new URL('../../src/', import.meta.url).href

if (import.meta.main) await main(process.argv[2] ?? 'sqlite::memory:', process.argv[3])

Error.stackTraceLimit = 100

async function main(database: string, redis: string | undefined): Promise<void> {
  const clock = testClock()
  const app = express()
  const server = await listen(createServer(app))
  const baseUrl = `http://localhost:${portOf(server)}`
  const inRedis = redis === undefined ? {} : { redis, redisPrefix: `walk${process.pid}:` }
  const hashes = { memoryKiB: 1024, passes: 1 }
  const membership = createMembership({ baseUrl, database, clock, production: false, passwords: hashes, ...inRedis })
  await membership.migrate()
  app.use(membership)
  app.get('/diary', membership.requireLogin, (req, res) => void res.send(req.user?.username))

  const credentials = { username: `anna${process.pid}`, password: 'granite lantern ferry' }
  await membership.users.create(credentials)
  const json = { 'Content-Type': 'application/json' }
  const login = await fetch(`${baseUrl}/api/login`, { method: 'POST', headers: json, body: JSON.stringify(credentials) })
  const cookie = login.headers
    .getSetCookie()
    .map((one) => one.split(';')[0])
    .join('; ')
  const visit = async () => {
    const answer = await fetch(`${baseUrl}/diary`, { headers: { cookie } })
    if ((await answer.text()) !== credentials.username) throw new Error(`the visit was answered ${answer.status}`)
  }

  // What is made at first use is made by then.
  for (let visits = 0; visits < 3; visits++) await visit()
  // The clock of deadlines ticks once more after the login.
  await pause(50)
  const read = await functionsOf(visit)
  clock.forward('5m')
  const touch = await functionsOf(visit)
  // A write, so that no copy in the process answers.
  await membership.users.create({ ...credentials, username: `ben${process.pid}` })
  const way = await wayToSqlite(visit)
  console.log(JSON.stringify({ read, touch, way } satisfies ExecutedFunctions))
  server.closeAllConnections()
  server.close()
  await membership.close()
}

async function functionsOf(visit: () => Promise<void>): Promise<RunFunction[]> {
  const session = new Session()
  session.connect()
  await session.post('Profiler.enable')
  await session.post('Profiler.startPreciseCoverage', { callCount: true, detailed: false })
  await session.post('Profiler.takePreciseCoverage')
  await visit()
  // What nobody waits for has run by then, too.
  await pause(50)
  const { result } = await session.post('Profiler.takePreciseCoverage')
  session.disconnect()
  return result
    .filter(({ url }) => url.startsWith(SRC))
    .flatMap(({ url, functions }) => {
      const ran = functions.filter(({ ranges: [whole] }) => whole && whole.count > 0 && whole.startOffset > 0)
      return ran.map(({ functionName }) => ({ file: url.slice(SRC.length), name: functionName }))
    })
}

/** By the stack at the statement, each folder once for as long as the calls stay in it. */
async function wayToSqlite(visit: () => Promise<void>): Promise<string[]> {
  const ways: string[][] = []
  const { get } = StatementSync.prototype
  StatementSync.prototype.get = function (this: StatementSync, ...values: Parameters<typeof get>) {
    const files = [...(new Error().stack ?? '').matchAll(/src\/([\w-]+)(?:\/|\.ts)/g)].map(([, folder]) => folder ?? '')
    ways.push(files.toReversed().filter((folder, at, all) => folder !== all[at - 1]))
    return get.apply(this, values)
  } as typeof get
  await visit()
  StatementSync.prototype.get = get
  return ways.toSorted((a, b) => b.length - a.length)[0] ?? []
}
