// Serves a membership in a process of its own, on a database that others share. Started with `fork`.
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
