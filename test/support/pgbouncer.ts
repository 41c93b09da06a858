// Starts a pgbouncer in transaction mode in front of the PostgreSQL of this machine.
import type { ChildProcess } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import pg from 'pg'
import { describeUnless } from './needs.ts'
import { findProgram, getProgram, give, ownFolder, removeFolder, spawnServer } from './own-server.ts'
import { postgresAnswers, SERVER } from './postgres-server.ts'
import { freePort } from './program.ts'

/** So few that requests share them. */
export const SERVER_CONNECTIONS = 5
const MAX_START_MS = 10_000

const isThere = findProgram('pgbouncer') !== undefined && (await postgresAnswers())

/** Tests behind pgbouncer. */
export function describeBehindPgbouncer(title: string, body: () => void): void {
  describeUnless(isThere ? undefined : 'pgbouncer with a PostgreSQL', title, body)
}

export class Pgbouncer {
  readonly #port: number
  readonly #folder: string
  readonly #process: ChildProcess

  private constructor(port: number, folder: string) {
    this.#port = port
    this.#folder = folder
    this.#process = spawnServer(getProgram('pgbouncer'), [join(folder, 'pgbouncer.ini')])
    process.once('exit', this.#end)
  }

  /** Until it answers. */
  static async start(): Promise<Pgbouncer> {
    const folder = ownFolder()
    const port = await freePort()
    writeSettings(folder, port)
    const pgbouncer = new Pgbouncer(port, folder)
    const deadline = performance.now() + MAX_START_MS
    while (!(await answers(pgbouncer.urlOf(SERVER)))) {
      if (performance.now() > deadline) throw new Error('pgbouncer did not start')
      await new Promise((done) => setTimeout(done, 20))
    }
    return pgbouncer
  }

  /** The same database by way of it. */
  urlOf(url: string): string {
    const through = new URL(url)
    through.host = `127.0.0.1:${this.#port}`
    return through.href
  }

  async close(): Promise<void> {
    const ended = new Promise((done) => this.#process.once('exit', done))
    this.#end()
    await ended
    process.removeListener('exit', this.#end)
    removeFolder(this.#folder)
  }

  readonly #end = (): void => void this.#process.kill('SIGKILL')
}

function writeSettings(folder: string, port: number): void {
  const { hostname, port: to, username, password } = new URL(SERVER)
  const users = join(folder, 'users.txt')
  writeFileSync(users, `"${username}" "${decodeURIComponent(password)}"\n`)
  const settings = [
    '[databases]',
    `* = host=${hostname} port=${to}`,
    '[pgbouncer]',
    'listen_addr = 127.0.0.1',
    `listen_port = ${port}`,
    'unix_socket_dir =',
    'auth_type = trust',
    `auth_file = ${users}`,
    'pool_mode = transaction',
    `default_pool_size = ${SERVER_CONNECTIONS}`,
    'max_client_conn = 500',
  ]
  const file = join(folder, 'pgbouncer.ini')
  writeFileSync(file, `${settings.join('\n')}\n`)
  for (const path of [users, file]) give(path)
}

async function answers(url: string): Promise<boolean> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 1000 })
  try {
    await client.connect()
    await client.end()
    return true
  } catch {
    return false
  }
}
