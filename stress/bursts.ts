// A burst of requests on each of many connections at once: later requests are served in turns with them.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { resolve } from 'node:path'
import { freePort } from '../test/support/program.ts'
import { counted, exactly, type Fact, type StressRun } from './result.ts'
import { serve } from './serve.ts'
import { onEveryTarget, type StorageTarget } from './storage-targets.ts'

const ROOT = resolve(import.meta.dirname, '..')
const ANSWER = 'HTTP/1.1 200 OK'

export const bursts: StressRun = {
  id: 'bursts',
  title: 'requests that many connections send in bursts are answered in turns with those of others',
  run: (size) => onEveryTarget((target) => measure(target, size === 'full' ? [500, 100] : [50, 40])),
}

async function measure(target: StorageTarget, [connections, requests]: readonly [number, number]): Promise<readonly Fact[]> {
  const server = await serve({ target })
  const ours = await burst(server.base, '/login', connections, requests)
  await server.kill()
  const express = await serveExpress()
  const theirs = await burst(express.base, '/login', connections, requests)
  express.kill()
  return [
    exactly('requests in bursts that were answered', connections * requests, ours.answered),
    // One of each connection, or two, and what is answered while this process itself is not at work.
    counted('of these before somebody who came behind all of them', ours.before),
    counted('the same before bare Express answered such a visitor', theirs.before),
    { ...counted('milliseconds until that visitor was answered', Math.round(ours.waitMs)), isTime: true },
    { ...counted('milliseconds of bare Express, whose answer is one word', Math.round(theirs.waitMs)), isTime: true },
  ]
}

async function burst(base: string, path: string, connections: number, requests: number) {
  const { host, hostname, port } = new URL(base)
  const request = `GET ${path} HTTP/1.1\r\nHost: ${host}\r\n\r\n`
  let answered = 0
  const open = async (): Promise<Socket> => {
    const socket = connect(Number(port), hostname)
    await once(socket, 'connect')
    return socket
  }
  const sockets = await Promise.all(Array.from({ length: connections }, open))
  const visitor = await open()
  const all = sockets.map((socket) => countAnswers(socket, requests, () => answered++))
  for (const socket of sockets) socket.write(request.repeat(requests))
  const startedAt = performance.now()
  visitor.write(request)
  await once(visitor, 'data')
  const waitMs = performance.now() - startedAt
  const before = answered
  await Promise.all(all)
  for (const socket of [...sockets, visitor]) socket.destroy()
  return { answered, before, waitMs }
}

/** Resolves when so many answers came. */
function countAnswers(socket: Socket, wanted: number, onAnswer: () => void): Promise<void> {
  let found = 0
  let rest = ''
  return new Promise((done) => {
    socket.setEncoding('latin1').on('data', (part: string) => {
      const text = rest + part
      const parts = text.split(ANSWER)
      for (let n = 1; n < parts.length; n++) onAnswer()
      found += parts.length - 1
      // The beginning of the next may be here.
      rest = (parts.at(-1) ?? '').slice(-(ANSWER.length - 1))
      if (found >= wanted) done()
    })
  })
}

async function serveExpress(): Promise<{ readonly base: string; kill(): void }> {
  const port = await freePort()
  const program = `import express from 'express'
    express().get('/login', (_req, res) => res.send('hello')).listen(${port}, '127.0.0.1', () => console.log('open'))`
  const child = spawn(process.execPath, ['--input-type=module', '-e', program], {
    cwd: ROOT,
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  await once(child.stdout, 'data')
  return { base: `http://127.0.0.1:${port}`, kill: () => void child.kill('SIGKILL') }
}
