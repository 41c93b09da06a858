// A process of its own that serves a membership on a database that others serve too, with sessions and counters in Redis where it is told so. Started with `fork`; sends its port.
import { createServer } from 'node:http'
import express from 'express'
import { createMembership } from '../../src/membership.ts'
import { listen, portOf } from './site.ts'

const [database = '', secret = '', redis, redisPrefix] = process.argv.slice(2)

const app = express()
app.set('trust proxy', 1)
const baseUrl = 'http://localhost:3000'
const inRedis = redis !== undefined && redisPrefix !== undefined && { redis, redisPrefix }
app.use(createMembership({ baseUrl, database, secret, ...inRedis, passwords: { memoryKiB: 64, passes: 1, workers: 1 } }))
const server = await listen(createServer(app))
process.on('disconnect', () => process.exit())
process.send?.(portOf(server))
